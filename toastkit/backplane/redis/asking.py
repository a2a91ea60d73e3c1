"""Ask the workers about events, and know when everybody who hears one has answered."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ...runtime.contract import Runtime, Signal
from ..contract import Confirmation
from .counts import Counts

GRACE_SECONDS = 0.05
"""How long answers are waited for that perhaps only silent workers owe."""
KEPT_TICKS = 4
"""For how many seconds a question is known that was not answered by everybody."""


@dataclass(frozen=True, slots=True)
class AskedParts:
    """What asking needs; ``silent`` returns how many workers are there and answer nothing."""

    runtime: Runtime
    counts: Counts
    silent: Callable[[], int]


class Asked:
    """Know what was asked and is not answered by everybody yet, by number; on the loop only."""

    def __init__(self, parts: AskedParts) -> None:
        self.parts = parts
        self._open: dict[int, Asking] = {}
        self._next = 1
        self._marks: deque[int] = deque(maxlen=KEPT_TICKS)

    def ask(self, size: int) -> Broadcast:
        """Begin to ask about so many events."""
        numbers = range(self._next, self._next + size)
        self._next = numbers.stop
        broadcast = Broadcast(self, numbers)
        self._open.update(zip(numbers, broadcast.askings, strict=True))
        return broadcast

    def find(self, number: int) -> Asking | None:
        """Return an open question; ``None``: it was answered, or is long forgotten."""
        return self._open.get(number)

    def close(self, number: int) -> None:
        """Expect no answer any more."""
        self._open.pop(number, None)

    def give_up(self) -> None:
        """Note that no answer can be heard: what is asked is over, and nothing is known."""
        for asking in list(self._open.values()):
            asking.give_up()

    def tick(self) -> None:
        """Forget, once a second, what will not be answered any more."""
        if len(self._marks) == KEPT_TICKS:
            oldest = self._marks[0]
            for number in [number for number in self._open if number < oldest]:
                self._open[number].give_up()
        self._marks.append(self._next)


class Asking:
    """Collect the answers to one event.

    Answers may come before it is known how many there will be. ``_sound`` until it turns out that
    somebody may be there who is not counted.
    """

    __slots__ = (
        "_asked",
        "_broadcast",
        "_here",
        "_missing",
        "_present",
        "_reached",
        "_sound",
        "_written",
        "number",
        "over",
    )

    def __init__(self, asked: Asked, broadcast: Broadcast, number: int) -> None:
        self.number = number
        self.over = False
        self._asked = asked
        self._broadcast = broadcast
        self._sound = True
        self._here = self._reached = False
        self._written = self._present = self._missing = 0

    def here(self, written: int, present: int) -> None:
        """Take the answer of this process' own ear."""
        self._here = True
        self._add(written, present)

    def failed_here(self) -> None:
        """Note that the own ear could not hear it."""
        self._here, self._sound = True, False
        self._look()

    def reached(self, receivers: int, *, sound: bool) -> None:
        """Take how many hear it; unless ``sound``, there may be others."""
        self._reached = True
        self._sound &= sound
        self._missing += receivers
        self._look()

    def answered(self, written: int, present: int) -> None:
        """Take the answer of one who hears it; what comes late is counted, and changes nothing."""
        self._asked.parts.counts.late += self._broadcast.left
        self._missing -= 1
        self._add(written, present)

    def give_up(self) -> None:
        """Expect nothing more of anybody, and take nothing for sure."""
        self._sound &= self.over
        self._end()

    def missing(self) -> int:
        """Return how many of those who hear it have not answered."""
        return 0 if self.over else max(0, self._missing)

    def confirmation(self) -> Confirmation:
        """Return what is known."""
        return Confirmation(self._written, self._present, self.over and self._sound)

    def _add(self, written: int, present: int) -> None:
        if not self.over:
            self._written += written
            self._present += present
            self._look()

    def _look(self) -> None:
        if self.over or not (self._here and self._reached):
            return
        if self._missing <= 0:
            self._end()
        elif self._missing <= self._asked.parts.silent():
            self._asked.parts.runtime.call_later(GRACE_SECONDS, self._end_without_silent)

    def _end_without_silent(self) -> None:
        if not self.over and self._missing <= self._asked.parts.silent():
            self._end()

    def _end(self) -> None:
        if not self.over:
            self.over = True
            self._asked.close(self.number)
            self._broadcast.ended()


class Broadcast:
    """Wait for the answers to some events: for the publisher, while the loop collects them."""

    def __init__(self, asked: Asked, numbers: Iterable[int]) -> None:
        self.askings: Sequence[Asking] = [Asking(asked, self, number) for number in numbers]
        self.left = False
        self._parts = asked.parts
        self._open = len(self.askings)
        self._done: Signal | None = None

    def ended(self) -> None:
        """Note that one event is over."""
        self._open -= 1
        if not self._open and self._done is not None:
            self._done.set()

    def wait(self, seconds: float) -> list[Confirmation]:
        if self._open:
            done = self._done = self._parts.runtime.signal()
            # Looked at again: the loop counts down first and looks for the signal second.
            if self._open:
                done.wait(seconds)
        self.left = True
        if self._open:
            self._parts.counts.missed += sum(asking.missing() for asking in self.askings)
        return [asking.confirmation() for asking in self.askings]
