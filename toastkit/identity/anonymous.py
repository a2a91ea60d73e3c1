"""Who never signed in: a principal for each device, until it becomes a user's."""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from .. import ids, principals
from ..clock import Clock
from ..config import Config
from ..deliveries import Delivery
from ..errors import AlreadyRebound, Invalid, UserRequired
from ..records import AnonymousDevice, Move, Rebound, Session
from .devices import MAX_DEVICE_ID
from .sessions import Sessions

REBOUND = "identity.rebound"
"""The event the outside world is told of a rebind by (B16)."""

_MISSING = {"begin": "device_id required", "rebind": "device_id and clerk_user_id required"}
"""What the document says where a device id is missing (B8, B15)."""


class AnonymousRepository(Protocol):
    """Keep anonymous devices by the hash of their id."""

    def find(self, device_hash: str) -> AnonymousDevice | None:
        """Return what is known of a device."""

    def claim(self, fresh: AnonymousDevice) -> AnonymousDevice:
        """Return the device of this hash: the one there is, or ``fresh``, which is kept then.

        Of two first calls both get the same. A device that has no secret is given that of
        ``fresh``.
        """

    def rebind(
        self,
        device: AnonymousDevice,
        user_id: str,
        at: int,
        owe: Callable[[int], Sequence[Delivery]],
    ) -> Move | None:
        """Make everything of a device's principal a user's, in one transaction.

        ``None``: it is another user's by now. What ``owe`` returns for the number of rows is owed
        in the same transaction.

        Raises:
            RebindClash: a host's table has a row in the way.
            StorageUnavailable: nothing was changed.
        """


def _nobody(_user_id: str, _anonymous_id: str) -> None:
    """Tell nobody of a rebind."""


@dataclass(frozen=True, slots=True)
class AnonymousParts:
    """What anonymous sessions are made of.

    ``receivers`` returns the kinds of deliveries that a rebind owes; ``moved`` is called after its
    commit with the principal that was left, the user, and how many toasts the user has got;
    ``rebound`` with the user and the principal, if anything became the user's.
    """

    repository: AnonymousRepository
    sessions: Sessions
    config: Config
    clock: Clock
    receivers: Callable[[], Sequence[str]]
    moved: Callable[[str, str, int], object]
    rebound: Callable[[str, str], object] = _nobody


class Anonymous:
    """Open sessions without a sign-in, and hand what they left to a user (B7-B16).

    A device id opens its principal's session: it is a credential. Only its hash is kept.
    """

    def __init__(self, parts: AnonymousParts) -> None:
        self._repository = parts.repository
        self._sessions = parts.sessions
        self._config = parts.config
        self._clock = parts.clock
        self._receivers = parts.receivers
        self._moved = parts.moved
        self._rebound = parts.rebound

    def begin(
        self, device_id: object, device_secret: object = None
    ) -> tuple[str, Session, str | None]:
        """Return a fresh token of a device's principal, its session, and the device's new secret.

        The same device has the same principal every time, also after a rebind; tokens that were
        minted before stay good. With ``Config.device_secret`` the first call gives a secret that
        later ones must show; otherwise there is none.

        Raises:
            Invalid: the device id is none, or the secret is missing or wrong.
            StorageUnavailable: nothing was kept.
        """
        device, secret = self._device(read_device_id(device_id), device_secret)
        token, session = self._sessions.mint(device.user_id)
        return token, session, secret

    def rebind(self, user_id: object, device_id: object, device_secret: object = None) -> Rebound:
        """Make everything of a device's principal a user's; done twice it is done once (B10-B12).

        The rows of every registered table move in one transaction, the sessions of the principal
        end in it, and its connections to this process afterwards, with Redis to every worker.

        Raises:
            Invalid: an id is none, or the secret is missing or wrong.
            UserRequired: the user is anonymous.
            AlreadyRebound: it is another user's.
            RebindClash: a host's table has a row in the way; nothing was moved.
            ConfigError: a host's table cannot be moved; nothing was.
            StorageUnavailable: nothing was moved.
        """
        owner, named = _user(user_id), read_device_id(device_id, "rebind")
        device = self._repository.find(ids.token_hash(named))
        if device is None:
            return Rebound(rebound=False, rows_updated=0, anon_uuid=None)
        if device.rebound_to not in (None, owner):
            raise AlreadyRebound(named)
        if self._config.device_secret and device.secret_hash is not None:
            _ensure_secret(device, device_secret)
        at = self._clock.now()

        def owe(rows: int) -> list[Delivery]:
            return self._owed(device, owner, at, rows)

        move = self._repository.rebind(device, owner, at, owe)
        if move is None:
            raise AlreadyRebound(named)
        self._sessions.ended(device.user_id, move.ended)
        self._moved(device.user_id, owner, move.toasts)
        if move.rebound.rebound:
            self._rebound(owner, device.user_id)
        return move.rebound

    def _device(self, device_id: str, given: object) -> tuple[AnonymousDevice, str | None]:
        """Return a device, made if it is new, and the secret it has been given just now."""
        device_hash = ids.token_hash(device_id)
        found = self._repository.find(device_hash)
        wanted = self._config.device_secret
        if found is None or (wanted and found.secret_hash is None):
            secret = ids.token() if wanted else None
            found = self._repository.claim(self._fresh(device_hash, secret))
            if secret is not None and found.secret_hash == ids.token_hash(secret):
                return found, secret
        if wanted:
            _ensure_secret(found, given)
        return found, None

    def _fresh(self, device_hash: str, secret: str | None) -> AnonymousDevice:
        return AnonymousDevice(
            device_hash=device_hash,
            anon_uuid=str(uuid.uuid4()),
            created_at=self._clock.now(),
            secret_hash=None if secret is None else ids.token_hash(secret),
        )

    def _owed(self, device: AnonymousDevice, owner: str, at: int, rows: int) -> list[Delivery]:
        # Without the device id: whoever is told of the event could open the principal's session.
        payload = {
            "anon_uuid": device.anon_uuid,
            "user_id": owner,
            "rows_updated": rows,
            "at": at,
        }
        return [
            Delivery(
                id=ids.delivery_id(at),
                kind=kind,
                target="",
                payload=payload,
                created_at=at,
                expires_at=at + self._config.delivery_seconds * 1000,
                user_id=owner,
            )
            for kind in self._receivers()
        ]


def read_device_id(value: object, door: str = "begin") -> str:
    """Check a device id: 1 to 200 printable characters (B7); ``door``: which text says it is missing.

    Raises:
        Invalid: it is none.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        raise Invalid(_MISSING[door], ("device_id",), "missing")
    if not isinstance(value, str) or len(value) > MAX_DEVICE_ID or not value.isprintable():
        text = f"device_id must be 1-{MAX_DEVICE_ID} chars"
        raise Invalid(text, ("device_id",), "length")
    return value


def _user(user_id: object) -> str:
    owner = principals.user_id(user_id)
    if principals.is_anonymous(owner):
        raise UserRequired("Rebind")
    return owner


def _ensure_secret(device: AnonymousDevice, given: object) -> None:
    if given is None or given == "":
        raise Invalid("device_secret required", ("device_secret",), "missing")
    shown = ids.token_hash(given) if isinstance(given, str) else ""
    if not hmac.compare_digest(shown, device.secret_hash or ""):
        raise Invalid("device_secret is wrong", ("device_secret",), "secret")
