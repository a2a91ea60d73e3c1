"""What a request must show before a view does anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, TypeVar

from flask import current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden, HTTPException
from werkzeug.sansio.utils import host_is_trusted

from toastkit.errors import MissingToken, StorageUnavailable, ToastKitError, UserRequired
from toastkit.hooks import UserLoader
from toastkit.identity import Credentials
from toastkit.principals import Principal
from toastkit.verifiers.contract import Claims

from . import logins, origins
from .bodies import OWN_CONNECTION_HEADER
from .errors import tell
from .policies import Policy
from .state import current_kit, state

View = TypeVar("View", bound=Callable[..., Any])

OWN_PAGE_HEADER = "X-ToastKit"
_PRINCIPAL, _CLAIMS = "toastkit.principal", "toastkit.claims"
"""Where a request keeps who is asking: ``g`` may outlive it, and serve the next one's user."""

_COOKIE_ALONE = (
    f"a page that is signed in by its cookie sends the header {OWN_PAGE_HEADER}: 1 along"
)
_NOBODY = "nobody is signed in, as far as @toastkit.user_loader or Flask-Login knows"

_COUNTED_FIRST = frozenset({Policy.OPEN, Policy.PROVIDER, Policy.SESSION})
"""Counted by address before anything is looked at: checking a signature costs as much as it may."""


def begin() -> None:
    """Begin a request: refuse a foreign ``Host``."""
    hosts = current_kit().config.trusted_hosts
    if hosts and not host_is_trusted(request.host, hosts):
        # DNS rebinding: a foreign name that resolves to us would be the same origin to a browser.
        raise Forbidden("this service does not answer to that host name (TOASTKIT_TRUSTED_HOSTS)")


def guarded(view: View, policy: Policy, rate: str | None = None) -> View:
    """Return a view that is reached only by those its policy lets in, at most so often.

    A view is called with what its path says; ``current_principal()`` tells who is asking.
    """

    @wraps(view)
    def guard(**path: Any) -> Any:
        if policy in _COUNTED_FIRST:
            _count(rate, address())
            _pass(policy)
        else:
            _count(rate, *_pass(policy))
        try:
            answered = current_app.ensure_sync(view)(**path)
        except (ToastKitError, HTTPException):
            _ensure_still_known()
            raise
        _ensure_still_known()
        return answered

    guard.toastkit_policy = policy  # type: ignore[attr-defined]
    return guard  # type: ignore[return-value]


def session_required(view: View) -> View:
    """Let a view of the host be reached by known principals only, anonymous sessions included.

    Whoever is not known gets the documented 401, and so does a request whose session was revoked
    while it was served. ``current_principal()`` says who it is.
    """
    return _telling(guarded(view, Policy.PRINCIPAL))


def user_required(view: View) -> View:
    """Let a view of the host be reached by signed-in users only; see ``session_required``."""
    return _telling(guarded(view, Policy.USER))


def publisher_required(view: View) -> View:
    """Let a view of the host be reached by bearers of the publish secret only (A17)."""
    return _telling(guarded(view, Policy.PUBLISHER))


def current_principal() -> Principal:
    """Return who is asking, once a request: in a guarded view, or in any view of the host.

    Raises:
        Unauthenticated: nobody is, or two credentials name different users.
        OriginNotAllowed: a page of another origin tried to use the login.
        Unavailable: keys or storage cannot be had right now.
    """
    found: Principal | None = request.environ.get(_PRINCIPAL)
    if found is None:
        offered = Credentials(bearer(), _own_login())
        try:
            found = current_kit().identity.authenticator.authenticate(offered)
        except MissingToken:
            if offered.load_user is not None:
                raise MissingToken(_NOBODY) from None
            if request.cookies:
                raise MissingToken(_COOKIE_ALONE) from None
            raise
        request.environ[_PRINCIPAL] = found
    return found


def leaving_principal() -> Principal:
    """Return who is asking, for a view that ends the session itself: it is not missed afterwards.

    Raises:
        ToastKitError: as ``current_principal``.
    """
    leaving = current_principal()
    request.environ[_PRINCIPAL] = replace(leaving, session_hash=None)
    return leaving


def claims() -> Claims:
    """Return what the identity provider's token of this request says; a ``PROVIDER`` door has it."""
    found: Claims = request.environ[_CLAIMS]
    return found


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


def _pass(policy: Policy) -> tuple[str, ...]:
    """Let a request in, and return by what its rate is counted.

    Raises:
        ToastKitError: it may not pass.
    """
    authenticator = current_kit().identity.authenticator
    match policy:
        case Policy.PRINCIPAL:
            return (current_principal().user_id,)
        case Policy.USER:
            return (_user().user_id,)
        case Policy.PUBLISHER:
            return (authenticator.ensure_publisher(bearer()), address())
        case Policy.PROVIDER:
            request.environ[_CLAIMS] = authenticator.verify(bearer())
        case Policy.SESSION:
            authenticator.find_session(required_bearer())
    return ()


def _count(rate: str | None, *key: str) -> None:
    if rate is not None:
        limit(rate, *key)


def _user() -> Principal:
    principal = current_principal()
    if principal.anonymous:
        name = (request.endpoint or "this").rpartition(".")[2]
        raise UserRequired(name.capitalize())
    return principal


def _ensure_still_known() -> None:
    # Revoked while it was served, a request must not be answered (B5).
    principal: Principal | None = request.environ.get(_PRINCIPAL)
    if principal is not None and principal.session_hash is not None:
        try:
            current_kit().sessions.ensure_not_revoked(principal.session_hash)
        except StorageUnavailable as error:
            # Not answered either, but whoever asks must not be told that nothing was kept.
            text = "the session cannot be looked at again; what was asked for may have been done"
            raise StorageUnavailable(text) from error


def _telling(view: View) -> View:
    """Tell errors of toastkit in a host's view as in toastkit's own."""

    @wraps(view)
    def telling(**path: Any) -> ResponseReturnValue:
        try:
            begin()
            return view(**path)  # type: ignore[no-any-return]
        except ToastKitError as error:
            return tell(error)

    return telling  # type: ignore[return-value]


def _own_login() -> UserLoader | None:
    # A cookie goes along with requests other pages cause. A header of its own needs a preflight,
    # which only a page of this origin, or one the host allows, gets past.
    if OWN_PAGE_HEADER not in request.headers:
        return None
    here = state()
    origins.ensure_origin(here.kit.config)
    return here.hooks.user_loader or logins.flask_login_user
