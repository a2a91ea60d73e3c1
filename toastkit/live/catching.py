"""What a connection that catches up has before it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from ..events import Event
from ..records import Since
from ..replies import Recovery
from ..runtime.contract import Signal
from .sendbuffer import Tally

Told = tuple[Event, Tally | None]
"""An event that waits to be told, and who is to know what became of it."""


@dataclass(slots=True, eq=False)
class Catching:
    """Hold ``line``, what a connection missed, and ``held``, what came meanwhile, in order.

    It asks for ``topics`` after ``since``; ``before`` is what it heard before it asked. Without an
    ``answer`` it fills a gap that its client does not know of. ``reading`` while what was missed
    is not known yet; ``tried`` when it could not be read once. ``sought`` is the toast that a read
    was begun for after it had come.
    """

    before: tuple[str, ...]
    topics: tuple[str, ...]
    since: Since
    then: Callable[[], None] | None
    answer: Callable[[Recovery], None] | None = None
    ready: Signal | None = None
    reading: bool = True
    tried: bool = False
    sought: Event | None = None
    line: deque[Told] = field(default_factory=deque)
    held: deque[Told] = field(default_factory=deque)

    @property
    def asks_for_all(self) -> bool:
        """Tell whether it asks for everything it hears."""
        return set(self.before) <= set(self.topics)

    @property
    def done(self) -> bool:
        """Tell whether everything has been told."""
        return not (self.reading or self.line or self.held)
