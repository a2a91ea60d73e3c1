"""What a short history promises: the last events of routes that have no rows."""

from __future__ import annotations

from typing import Protocol

import msgspec
from msgspec import Struct

from ..errors import TooLarge
from ..events import Event
from ..records import Position, Unrecoverable

MAX_SIZE = 1000
MAX_EVENT_BYTES = 64 * 1024
META_MS = 30 * 24 * 3600 * 1000
"""How long a route's position is known after its last event: events may be forgotten long before."""

IDLE_META_MS = 3600 * 1000
"""How long the position of a route that nobody has published on is known after it was asked for."""


class Keep(Struct, frozen=True):
    """Say how much of a route is kept: the newest ``size`` events, each for ``ms`` milliseconds."""

    size: int = 100
    ms: int = 300_000

    def __post_init__(self) -> None:
        if not (1 <= self.size <= MAX_SIZE and 1 <= self.ms <= META_MS):
            raise ValueError(f"a history keeps 1 to {MAX_SIZE} events, for 1 to {META_MS} ms")


class Past(Struct, frozen=True, kw_only=True):
    """Hold a part of a route's past, in order, and the position it leads to.

    With a ``reason`` there are no events: a part of what was missed would be a silent gap.
    """

    position: Position
    events: tuple[Event, ...] = ()
    reason: Unrecoverable | None = None


class History(Protocol):
    """Keep what was published last on routes without rows, numbered, and tell it in order.

    What is kept may be lost, like everything that workers share. Then a route's numbers begin anew
    under another epoch, so that no earlier position is taken for a present one. Every call blocks:
    not on the loop.
    """

    def append(self, event: Event, keep: Keep) -> Position:
        """Number an event, keep it, and tell it to every worker on its route; return its position.

        One step: what is heard comes in the order of the positions, and what is heard first is
        kept already. Nobody is waited for.

        Raises:
            TooLarge: its data is more than ``MAX_EVENT_BYTES`` of JSON.
            BackplaneUnavailable: it was not kept, or the answer was lost.
        """

    def since(self, route: str, position: Position, most: int) -> Past:
        """Return all that came after a position, or why it cannot be told.

        ``too_many``: more than ``most`` events, or than is kept. ``epoch_changed``: the position is
        none of this route's, or was lost. What has expired is left out.

        Raises:
            BackplaneUnavailable: nobody knows now.
        """

    def newest(self, route: str, most: int) -> Past:
        """Return the newest events, at most ``most``; with 0 of them, where the route stands.

        A position that was told stays good, also before the first event.

        Raises:
            BackplaneUnavailable: nobody knows now.
        """


def ensure_fits(event: Event) -> None:
    """Check that an event is small enough to be kept.

    Raises:
        TooLarge: it is not.
    """
    if len(msgspec.json.encode(event.data)) > MAX_EVENT_BYTES:
        raise TooLarge(f"data must be at most {MAX_EVENT_BYTES} bytes")
