"""A host that sends everybody to its login page first, and what that does to toastkit's paths."""

from __future__ import annotations

from urllib.parse import quote, unquote, urljoin, urlsplit
from weakref import WeakSet

from flask import Flask, Response, current_app, request

from toastkit.errors import MissingToken

from . import errors

_PASSED = "toastkit.passed"
"""Where a request says that it has come as far as toastkit."""

_warned: WeakSet[Flask] = WeakSet()


def passed() -> None:
    """Note that the host has let a request through to toastkit."""
    request.environ[_PASSED] = True


def answered(response: Response) -> Response:
    """Answer 401 where the host would send a program to its login page.

    What calls these paths is no person: it would follow, get the page, and take it for success. A
    redirect to the same path of another origin (HTTPS first) stays one.
    """
    if _PASSED in request.environ or not 300 <= response.status_code < 400:
        return response
    where = response.headers.get("Location")
    if not where:
        return response
    if _path_of(where) == _path_of(request.url):
        return response
    _warn_once(where)
    text = f"this app asks for a login first (it redirects to {_plain(where)})"
    return errors.tell(MissingToken(text))


def _path_of(where: str) -> str | None:
    try:
        return urlsplit(urljoin(request.url, where)).path
    except ValueError:
        return None  # such as a bracket without its other half: it leads nowhere


def _warn_once(where: str) -> None:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    if app not in _warned:
        _warned.add(app)
        app.logger.warning(
            "%s %s was redirected to %s by this app, before toastkit was asked who may do that; "
            "where it does so (@app.before_request) let what begins with 'toastkit_' in "
            "request.endpoint pass: toastkit checks by itself",
            request.method,
            _plain(request.path),
            _plain(where),
        )


def _plain(url: str) -> str:
    # A query may carry a ticket, also one that says where to go next, and a path may break a line.
    return quote(unquote(url.partition("?")[0]), safe="/:~")
