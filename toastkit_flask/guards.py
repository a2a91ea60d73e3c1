"""What a request must show before a view does anything."""

from __future__ import annotations

from flask import request
from werkzeug.exceptions import Forbidden
from werkzeug.sansio.utils import host_is_trusted

from toastkit.errors import MissingToken
from toastkit.hooks import UserLoader
from toastkit.identity import Credentials, Identity

from . import logins, origins
from .state import current_kit, state

OWN_PAGE_HEADER = "X-ToastKit"
OWN_CONNECTION_HEADER = "X-ToastKit-Session"


def begin() -> None:
    """Begin a request: refuse a foreign ``Host``."""
    hosts = current_kit().config.trusted_hosts
    if hosts and not host_is_trusted(request.host, hosts):
        # DNS rebinding: a foreign name that resolves to us would be the same origin to a browser.
        raise Forbidden("this service does not answer to that host name (TOASTKIT_TRUSTED_HOSTS)")


def bearer() -> str | None:
    """Return the bearer of this request, or ``None``."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        return None
    # WSGI hands headers over as Latin-1; clients that send more than ASCII mean UTF-8.
    return token.encode("latin-1").decode("utf-8", "surrogateescape")


def required_bearer() -> str:
    """Return the bearer of this request.

    Raises:
        MissingToken: there is none.
    """
    token = bearer()
    if token is None:
        raise MissingToken
    return token


def identify() -> Identity:
    """Return who is asking: by bearer, or by the host's own login.

    Raises:
        Unauthenticated: nobody is, or two credentials name different users.
        OriginNotAllowed: a page of another origin tried to use the login.
    """
    return current_kit().authenticator.authenticate(Credentials(bearer(), _own_login()))


def limit(name: str, *key: str) -> None:
    """Count this request against a rate.

    Raises:
        RateLimited: it is one too many.
    """
    state().limits.hit(name, *key)


def address() -> str:
    """Return the address a request came from; behind a proxy that is the host's ``ProxyFix``."""
    return request.remote_addr or ""


def own_connection() -> str | None:
    """Return the connection this request's page has, which knows already what it asks for.

    Another user's is of no use: only connections of the user who asks are told anything.
    """
    return request.headers.get(OWN_CONNECTION_HEADER, "")[:100] or None


def _own_login() -> UserLoader | None:
    # A cookie goes along with requests other pages cause. A header of its own needs a preflight,
    # which only a page of this origin, or one the host allows, gets past.
    if OWN_PAGE_HEADER not in request.headers:
        return None
    here = state()
    origins.ensure_origin(here.kit.config)
    return here.hooks.user_loader or logins.flask_login_user
