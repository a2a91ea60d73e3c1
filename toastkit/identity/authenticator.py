"""The one place that decides who is asking."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from .. import ids, principals
from ..config import Config
from ..errors import (
    ConfigError,
    Invalid,
    InvalidPublishKey,
    InvalidToken,
    MissingToken,
    PublishDisabled,
    ToastKitError,
    TokenExpired,
    Unavailable,
)
from ..hooks import UserLoader
from ..principals import Principal
from ..records import Session
from ..verifiers.contract import Claims, Verifier
from .sessions import Sessions

log = logging.getLogger("toastkit")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Hold what one request offers to show who is asking.

    ``load_user`` asks the host's own login. The door gives it only for a request that no foreign
    page can have caused.
    """

    bearer: str | None = field(default=None, repr=False)
    load_user: UserLoader | None = None


class Authenticator:
    """Ask every way in, in a fixed order: opaque sessions by prefix, JWTs, the host's login.

    Raises:
        ConfigError: what is given as verifiers are none.
    """

    def __init__(self, sessions: Sessions, verifiers: Sequence[Verifier], config: Config) -> None:
        self._sessions = sessions
        self._verifiers = _checked(verifiers)
        self._secrets = [secret.encode() for secret in config.publish_secret if secret.strip()]

    @property
    def takes_tokens(self) -> bool:
        """Tell whether a token of an identity provider can be good here."""
        return bool(self._verifiers)

    def authenticate(self, offered: Credentials) -> Principal:
        """Return who is asking.

        Raises:
            MissingToken: nothing was offered that names somebody.
            TokenExpired: the bearer was good once.
            InvalidToken: the bearer is not good, or names somebody else than the login does.
            Unavailable: keys or storage cannot be had right now.
        """
        by_bearer = self._by_bearer(offered.bearer) if offered.bearer is not None else None
        by_login = _by_login(offered.load_user) if offered.load_user is not None else None
        if by_bearer and by_login and by_bearer.user_id != by_login.user_id:
            # Guessing which one is meant would show one user's toasts to another.
            raise InvalidToken("it names another user than the login does")
        principal = by_bearer or by_login
        if principal is None:
            raise MissingToken
        return principal

    def verify(self, bearer: str | None) -> Claims:
        """Return what the identity provider's token says; a session token is refused (B1).

        Raises:
            MissingToken: there is none.
            TokenExpired: it was good once.
            InvalidToken: no provider of this server signed it for us.
            Unavailable: a provider's keys cannot be had right now.
        """
        if bearer is None:
            raise MissingToken
        if self._sessions.owns(bearer):
            raise InvalidToken("expected a Clerk JWT")
        if not self._verifiers:
            raise InvalidToken(
                "no identity provider is set up on this server: verifiers=[...] name one"
            )
        return self._ask_verifiers(bearer)

    def find_session(self, bearer: str) -> Session:
        """Return the opaque session a bearer is; nothing else will do (B5).

        Raises:
            TokenExpired: it has ended by itself.
            InvalidToken: it is no session token, unknown, or revoked.
        """
        if not self._sessions.owns(bearer):
            raise InvalidToken("not a session token")
        return self._sessions.find(bearer)

    def ensure_publisher(self, bearer: str | None) -> str:
        """Make sure a publisher knows the secret; return a name for it that gives nothing away.

        Raises:
            PublishDisabled: no secret is set; said before anything else (A17).
            InvalidPublishKey: the bearer is missing or wrong.
        """
        if not self._secrets:
            raise PublishDisabled("no publish secret is set on this server")
        if bearer is None or not ids.is_one_of(bearer, self._secrets):
            raise InvalidPublishKey("the bearer is not the publish secret of this server")
        return ids.token_hash(bearer)[:16]

    def _by_bearer(self, bearer: str) -> Principal:
        if self._sessions.owns(bearer):
            session = self._sessions.find(bearer)
            return Principal(session.user_id, session.token_hash, session.expires_at)
        claims = self.verify(bearer)
        return Principal(claims.user_id, expires_at=claims.expires_at)

    def _ask_verifiers(self, bearer: str) -> Claims:
        refusals: list[ToastKitError] = []
        for verifier in self._verifiers:
            try:
                return verifier.verify(bearer)
            except (TokenExpired, InvalidToken, Unavailable) as error:
                refusals.append(error)
        raise min(refusals, key=_rank)


def _rank(refusal: ToastKitError) -> int:
    # That other providers do not know the token is no news when its own says what is wrong.
    if isinstance(refusal, InvalidToken):
        return 3 if refusal.foreign else 2
    return 0 if isinstance(refusal, TokenExpired) else 1


def _checked(verifiers: object) -> tuple[Verifier, ...]:
    """Return the verifiers, where a mistake is told to whoever makes the kit and not to a user."""
    given = verifiers if isinstance(verifiers, (list, tuple)) else (None,)
    if not all(callable(getattr(each, "verify", None)) for each in given):
        raise ConfigError(
            "verifiers must be a list of verifiers, like [ClerkVerifier(...)], "
            f"not {verifiers!r:.100}"
        )
    return tuple(given)


def _by_login(load_user: UserLoader) -> Principal | None:
    found = load_user()
    if found is None or found is False:  # such as: user.is_authenticated and user.id
        return None
    try:
        user_id = principals.user_id(found)
    except Invalid as error:
        log.warning(
            "user_loader gave an id toastkit cannot use: %s; return the id of the user, such as "
            "user.id",
            error,
        )
        raise InvalidToken(f"this login cannot be used: {error}") from None
    if principals.is_anonymous(user_id):
        raise InvalidToken("this login cannot be used: anon: ids are toastkit's own")
    return Principal(user_id)
