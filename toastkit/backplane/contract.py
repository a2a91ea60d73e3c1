"""What workers share and may lose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from ..events import Event

Answer = Callable[[int, int], None]
"""Called once with ``(written, present)`` when a worker is done with one event."""

Listener = Callable[[Event, Answer], None]
"""A worker's ear: called on the loop, in the order of the broadcasts."""


class Confirmation(Struct, frozen=True):
    """What the workers answered to one event within the time given.

    ``written``: foreground connections the whole frame went to. ``present``: foreground
    connections of the principal, subscribed or not. ``complete``: every worker that listens has
    answered; without it, zero is not known to mean nobody.
    """

    written: int = 0
    present: int = 0
    complete: bool = False


class Pending(Protocol):
    """Answers to one broadcast, some of which are still on their way."""

    def wait(self, seconds: float) -> list[Confirmation]:
        """Return one confirmation per event, in order, after at most ``seconds``.

        Called once, by the publisher's own thread or greenlet: it may block, the loop may not. An
        event that not everybody has answered by then is not complete; answers that come later
        change nothing.
        """


class Backplane(Protocol):
    """Carry events to every worker that listens to their route.

    Promises: a listener hears one worker's events in the order that worker broadcast them; the
    publishing worker hears its own events through the same road; one event that fails keeps no
    other from being heard; nothing is kept; what is lost is found again from storage.
    """

    def listen(self, listener: Listener) -> None:
        """Name this worker's ear. Before any ``join``."""

    def share(self) -> None:
        """Note that other workers serve the same clients; what it cannot ask is not complete."""

    def join(self, route: str) -> None:
        """Hear a route from now on: the first connection on it has come to this worker."""

    def leave(self, route: str) -> None:
        """Hear a route no longer: its last connection here has gone."""

    def broadcast(self, events: Sequence[Event]) -> Pending:
        """Begin to tell every worker on each event's route; on the loop, without blocking.

        What was broadcast first is on its way first. Answers may come at once or from elsewhere,
        after this has returned.
        """

    def close(self) -> None:
        """Stop listening."""
