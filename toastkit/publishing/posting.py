"""Find the sender of a delivery, and make an outcome of whatever it does."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, KeysView, Sequence
from contextlib import AbstractContextManager, nullcontext

from ..deliveries import Delivery, Gone, Later, Outcome, Refusal, Sent
from ..errors import ConfigError
from ..senders.contract import Sender

MAX_KIND = 100

ROOM = 8
"""Attempts of one kind that one process makes side by side, unless its sender has another ``room``."""

log = logging.getLogger(__name__)


class Raised(Later, frozen=True):
    """A sender raised: the other side may be away, or this one delivery is too much for it."""


class Senders:
    """Hold one sender for each kind of delivery; they are called inside ``context``.

    Raises:
        ConfigError: one is no sender, or two are of the same kind.
    """

    def __init__(
        self,
        senders: Sequence[Sender],
        context: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._by_kind: dict[str, Sender] = {}
        for sender in senders:
            kind = _kind(sender)
            if kind in self._by_kind:
                raise ConfigError(
                    f"two senders are of kind {kind!r}; a second one for the same happening is of "
                    f"a kind of its own, like {kind + ':other'!r}"
                )
            self._by_kind[kind] = sender
        self._rooms = {kind: _room(sender) for kind, sender in self._by_kind.items()}
        self._context = context
        self._complained: dict[str, str] = {}

    @property
    def kinds(self) -> KeysView[str]:
        """Return every kind there is a sender for, now and whenever it is looked at again.

        Whoever holds this holds no sender, which may hold the whole app.
        """
        return self._rooms.keys()

    def kinds_of(self, happening: str) -> tuple[str, ...]:
        """Return the kinds that are owed a delivery when something happens.

        That is the kind of this name, and each that is it with ``:`` and a name of its own behind.
        """
        return tuple(
            kind for kind in tuple(self._by_kind) if f"{kind}:".startswith(f"{happening}:")
        )

    def room(self, kind: str) -> int:
        """Return how many attempts of a kind one process makes side by side."""
        return self._rooms.get(kind, ROOM)

    def swap(self, kind: str, sender: Sender | None) -> Sender | None:
        """Put a sender, or none, in the place of a kind's, as a test does; return that one.

        Attempts that have begun go on with the one they began with.
        """
        before = self._by_kind.get(kind)
        if sender is None:
            self._rooms.pop(kind, None)
            self._by_kind.pop(kind, None)
        else:
            self._by_kind[kind] = sender
            self._rooms[kind] = _room(sender)
        return before

    def close(self) -> None:
        """Have every sender that can, give back what it holds; no attempt is made after that."""
        for kind, sender in tuple(self._by_kind.items()):
            close = getattr(sender, "close", None)
            try:
                if callable(close):
                    close()
            except Exception:
                # A host's code; the others have theirs to give back, too.
                log.exception("the sender of %s could not be closed", kind)

    def post(self, delivery: Delivery) -> Outcome:
        """Have a delivery's sender make one attempt; whatever it raises may be tried again."""
        sender = self._by_kind.get(delivery.kind)
        if sender is None:
            return Later("its sender has gone")
        try:
            with self._context():
                outcome: object = sender.post(delivery)
        except Exception as error:  # noqa: BLE001 - a host's code, which may raise anything
            self._complain(delivery, error)
            return Raised(_told(error))
        if not isinstance(outcome, Sent | Refusal | Gone | Later):
            # It may well have been posted; to go on would post it again and again.
            answer = f"{type(sender).__name__}.post returned {type(outcome).__name__}"
            log.error("%s; it must return Sent, Refusal, Gone or Later", answer)
            return Refusal(answer)
        if isinstance(outcome, Sent):
            self._complained.pop(delivery.kind, None)
        return outcome

    def _complain(self, delivery: Delivery, error: Exception) -> None:
        # The first of a row of them. Not what it says: that may hold what the delivery holds.
        name = type(error).__name__
        if self._complained.get(delivery.kind) != name:
            self._complained[delivery.kind] = name
            where = "".join(traceback.format_tb(error.__traceback__))
            log.error(
                "the sender of %s raised %s; delivery %s is tried again later, and its last_answer "
                "says more\n%s",
                delivery.kind,
                name,
                delivery.id,
                where.rstrip(),
            )


def _told(error: Exception) -> str:
    name = type(error).__name__
    try:
        return f"{name}: {error}"
    except Exception:  # noqa: BLE001 - half made, like one that was unpickled
        return name


def _kind(sender: Sender) -> str:
    kind = getattr(sender, "kind", None)
    if not isinstance(kind, str) or not 1 <= len(kind) <= MAX_KIND or not kind.isprintable():
        raise ConfigError(
            f"{sender!r} is no sender: it needs a kind, a text of 1-{MAX_KIND} printable chars"
        )
    if not callable(getattr(sender, "post", None)):
        raise ConfigError(f"{sender!r} is no sender: it needs a method post(delivery)")
    return kind


def _room(sender: Sender) -> int:
    room = getattr(sender, "room", ROOM)
    if type(room) is not int or room < 1:
        raise ConfigError(
            f"{sender!r}: room is how many attempts are made side by side, a whole number of at "
            "least 1"
        )
    return room
