"""What a program owes to the outside world, and what operators see of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, get_args

from msgspec import Struct

from .. import ids, principals
from ..clock import Clock
from ..config import Config
from ..deliveries import Carried, Delivery, DeliveryState, StoredDelivery
from ..errors import ConfigError, Invalid, TooLarge
from ..events import json_copy
from .courier import Courier, DeliveryRepository
from .posting import MAX_KIND

MAX_TARGET = 2000
MAX_PAGE = 1000

Told = Callable[[Carried], object]


class DeliveriesParts(Struct, frozen=True):
    """What the facet is made of.

    ``kinds`` are those there are senders for; ``hurry`` has this process look for what is due, if
    it does; ``courier`` makes one that carries here.
    """

    config: Config
    clock: Clock
    repository: DeliveryRepository
    kinds: Collection[str]
    hurry: Callable[[], object]
    courier: Callable[[Told | None], Courier | None]


class Deliveries:
    """Owe messages to the outside world, and see how far they have come.

    Each is stored, and carried by a process that serves and has a sender of its kind, however long
    the other side is away; it may be posted more than once, with the same id.
    """

    def __init__(self, parts: DeliveriesParts) -> None:
        self._config = parts.config
        self._clock = parts.clock
        self._repository = parts.repository
        self._kinds = parts.kinds
        self._hurry = parts.hurry
        self._courier = parts.courier

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds there are senders for, in this process."""
        return tuple(self._kinds)

    def owe(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        target: str = "",
        user_id: object = None,
        seconds: int | None = None,
    ) -> str:
        """Owe one message to the sender of ``kind``; return its id once it is on disk.

        ``target`` is whom it goes to in that sender's words; ``user_id`` whom it is about, who is
        forgotten and exported with it. It is tried for ``seconds`` (``delivery_seconds``).

        Raises:
            Invalid, TooLarge: one of them is wrong.
            StorageUnavailable: nothing was kept.
        """
        now = self._clock.now()
        data, size = json_copy(payload, "payload")
        if size > self._config.control_bytes:
            most = self._config.control_bytes
            raise TooLarge(f"payload must be at most {most} bytes of JSON, not {size}")
        delivery = Delivery(
            id=ids.delivery_id(now),
            kind=_text(kind, "kind", 1, MAX_KIND),
            target=_text(target, "target", 0, MAX_TARGET),
            payload=data,
            created_at=now,
            expires_at=now + 1000 * self._life(seconds),
            user_id=None if user_id is None else principals.user_id(user_id),
        )
        self._repository.add(delivery)
        self._hurry()
        return delivery.id

    def carry(self, told: Told | None = None, *, once: bool = False) -> None:
        """Carry what is due until interrupted (``KeyboardInterrupt``), or ``once`` until none is.

        For a process that does nothing else; one that serves carries beside that, unless the
        setting ``carry`` is 0. ``told`` is called after each attempt, from wherever that is made.
        At the end attempts that go on are waited for, for ``close_seconds``.

        Raises:
            ConfigError: no sender is registered here.
            StorageUnavailable: ``once``, and the database cannot be reached.
        """
        courier = self._courier(told) if self._kinds else None
        if courier is None:
            raise ConfigError(
                "nothing can be carried here, for no sender is registered: give "
                "ToastKit(senders=[...]) some, or set TOASTKIT_APNS_TEAM_ID, TOASTKIT_APNS_KEY_ID "
                "and TOASTKIT_APNS_KEY_FILE"
            )
        try:
            if once:
                courier.finish()
            else:
                courier.run()
        finally:
            courier.stop(self._config.close_seconds)

    def recent(
        self, limit: int = 50, *, state: DeliveryState | None = None, kind: str | None = None
    ) -> list[StoredDelivery]:
        """Return the newest deliveries, of one state or kind if named, without their payload.

        Raises:
            Invalid: the limit is not 1 to 1000, or there is no such state.
            StorageUnavailable: the database cannot be read.
        """
        if type(limit) is not int or not 1 <= limit <= MAX_PAGE:
            raise Invalid(f"limit must be 1-{MAX_PAGE}", ("limit",), "range")
        states = get_args(DeliveryState)
        if state is not None and state not in states:
            raise Invalid(f"state must be one of {', '.join(states)}", ("state",))
        return self._repository.recent(limit, state, kind)

    def waiting(self) -> dict[str, int]:
        """Return how many deliveries of each kind wait.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        return self._repository.waiting()

    def _life(self, seconds: object) -> int:
        if seconds is None:
            return self._config.delivery_seconds
        if type(seconds) is not int or not 1 <= seconds <= 366 * 24 * 3600:
            raise Invalid("seconds must be a whole number from 1 to those of a year", ("seconds",))
        return seconds


def _text(value: object, name: str, least: int, most: int) -> str:
    if not isinstance(value, str) or not least <= len(value) <= most or not value.isprintable():
        raise Invalid(f"{name} must be {least}-{most} printable chars", (name,), "length")
    return value
