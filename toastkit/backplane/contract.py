"""What workers share and may lose."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from msgspec import Struct

from ..events import Event

Answer = Callable[[int, int], None]
"""Called once with ``(written, present)`` when a worker is done with one event."""


class Ear(Protocol):
    """Hear for one worker; on the loop, without blocking."""

    def hear(self, event: Event, answer: Answer) -> None:
        """Take one event, in the order of the broadcasts, and answer it once."""

    def doubt(self, routes: Collection[str] | None = None) -> None:
        """Read what is new on these routes (``None``: on all): it may not have been heard here.

        Told when a route begins to be heard, when hearing was interrupted, and again and again
        while nothing can be heard.
        """


class Dismissal(Struct, frozen=True):
    """Say that these sessions of a user have ended, or (none named) everything they have opened."""

    user_id: str
    sessions: tuple[str, ...] = ()


Heed = Callable[[Dismissal], None]
"""Told on the loop of what another worker has dismissed; must not block."""


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

        Sooner when nothing more can come, complete or not. Called once, by the publisher's own
        thread or greenlet: it may block, the loop may not. An event that not everybody has answered
        by then is not complete; answers that come later change nothing.
        """


class Backplane(Protocol):
    """Carry events to every worker that listens to their route.

    Promises: a listener hears one worker's events in the order that worker broadcast them; a worker
    hears its own, too, once; one event that fails keeps no other from being heard; nothing is kept;
    what is lost is found again from storage.
    """

    shared: bool
    """Whether it reaches the clients of other processes: then any process may decide."""

    @property
    def trouble(self) -> str | None:
        """Say in a line what keeps it from reaching the others now, if anything does."""

    def listen(self, ear: Ear) -> None:
        """Name this worker's ear. Before any ``join``."""

    def heed(self, heed: Heed) -> None:
        """Name who is told of the dismissals of other workers."""

    def serve(self) -> None:
        """Note that this process has clients from now on; once, from any thread, without blocking.

        Before that it hears nothing that is not said to it alone.
        """

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

    def dismiss(self, dismissal: Dismissal) -> None:
        """Tell every other worker what was dismissed; from any thread, without blocking.

        Best effort: what is lost they find in storage, within a second.
        """

    def abandon(self) -> None:
        """Begin anew in a forked child: what was connected before is its parent's."""

    def close(self) -> None:
        """Stop listening."""
