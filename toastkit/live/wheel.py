"""One timer for everything a connection waits for."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Wheel(Generic[T]):
    """Spread members over the slots of one turn; each member's turn comes once per ``size`` ticks.

    ``now`` counts seconds and is shared by everybody who only needs to know roughly when: a
    connection has no timer and no clock reading of its own.
    """

    def __init__(self, size: int, now: int) -> None:
        self.now = now
        self._slots: list[set[T]] = [set() for _ in range(size)]

    def add(self, member: T) -> None:
        """Add a member; its first turn comes within one round."""
        self._slots[hash(member) % len(self._slots)].add(member)

    def discard(self, member: T) -> None:
        """Take a member out; harmless when it is not there."""
        self._slots[hash(member) % len(self._slots)].discard(member)

    def advance(self, now: int) -> list[T]:
        """Move on to ``now`` and return the members whose turn has come since."""
        first = max(self.now + 1, now - len(self._slots) + 1)
        self.now = max(now, self.now)
        slots = (self._slots[tick % len(self._slots)] for tick in range(first, now + 1))
        return [member for slot in slots for member in slot]
