"""Tell errors in the documents' shape, inside toastkit's own paths and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Flask, Response, current_app, got_request_exception
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, default_exceptions
from werkzeug.wrappers import Response as BaseResponse

from toastkit.dialects.errors import http_error, internal_error
from toastkit.errors import ToastKitError

from .bodies import answer


def attach(blueprint: Blueprint) -> None:
    """Let every error inside a blueprint be told as JSON.

    Each status is named: a handler of the host for, say, 404 would be nearer than ours for all.
    """
    blueprint.register_error_handler(ToastKitError, tell)
    for status in default_exceptions:
        blueprint.register_error_handler(status, tell_http)
    blueprint.register_error_handler(HTTPException, tell_http)
    blueprint.register_error_handler(Exception, tell_unexpected)


def tell(error: ToastKitError) -> Response:
    """Answer an error toastkit raised on purpose."""
    status, body, headers = http_error(error)
    if status == 500:
        # The program must change; the message says how, and a traceback would bury it.
        current_app.logger.error("%s", error)
    return answer(body, status, headers)


def tell_http(error: HTTPException) -> Response | BaseResponse | HTTPException:
    """Answer an error of Werkzeug, or one the host raised on the way to us."""
    if error.response is not None or error.code is None or error.code < 400:
        return error
    code = error.name.lower().replace(" ", "_")
    body = {"detail": error.name, "code": code, "message": error.description or error.name}
    kept = ("allow", "retry-after", "www-authenticate")
    headers = {name: value for name, value in error.get_headers() if name.lower() in kept}
    return answer(body, error.code, headers)


def tell_unexpected(error: Exception) -> ResponseReturnValue:
    """Answer what nobody expected; say nothing of the inside, but log it and signal it.

    What the host raises in its hooks, and has a handler for, is told by the host.
    """
    theirs = _handler_of_the_host(error)
    if theirs is not None:
        return current_app.ensure_sync(theirs)(error)  # type: ignore[no-any-return]
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    app.log_exception(sys.exc_info())
    got_request_exception.send(app, exception=error)
    return answer(internal_error(), 500)


def _handler_of_the_host(error: Exception) -> Callable[[Exception], Any] | None:
    handlers = current_app.error_handler_spec[None][None]
    # One for whatever happens makes the host's pages, which no client of ours reads.
    own = type(error).__mro__[: type(error).__mro__.index(Exception)]
    return next((handlers[kind] for kind in own if kind in handlers), None)
