"""The other workers, as far as they have said that they hear."""

from __future__ import annotations

from collections.abc import Collection

BEATS = 3
"""How many beats a worker may miss before nobody waits for it."""
MOST = 1000
"""How many are known: each that falls silent is asked for, once a second."""


class Peers:
    """Know who is there, and who is there and says nothing; on the loop only.

    Beats are counted, not timed: a process that stood still itself blames nobody.
    """

    def __init__(self) -> None:
        self._missed: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._missed)

    def heard(self, worker: str) -> None:
        """Note that a worker is alive; that it hears, if it was known to."""
        if worker in self._missed:
            self._missed[worker] = 0

    def beat(self, worker: str) -> None:
        """Note that a worker hears everything that is for its clients; ``MOST`` are known."""
        if worker in self._missed or len(self._missed) < MOST:
            self._missed[worker] = 0

    def gone(self, worker: str) -> None:
        """Forget a worker that has ended."""
        self._missed.pop(worker, None)

    def tick(self) -> None:
        """Count the time of one beat."""
        for worker in self._missed:
            self._missed[worker] += 1

    @property
    def silent(self) -> Collection[str]:
        """Return who has not beaten for long: frozen, or dead."""
        return [worker for worker, missed in self._missed.items() if missed > BEATS]


class Crew:
    """Know how many serve, for a process that hears no beats: by what Redis said before.

    When Redis comes back its workers follow one by one: that there are fewer than before is
    believed once it has been so for some seconds. On the loop only.
    """

    def __init__(self) -> None:
        self._known = 1
        self._less_since: int | None = None
        self._ticks = 0

    def tick(self) -> None:
        """Count a second."""
        self._ticks += 1

    def all_there(self, there: int) -> bool:
        """Tell whether those who are there now are all."""
        if there >= self._known:
            self._known, self._less_since = there, None
            return True
        if self._less_since is None:
            self._less_since = self._ticks
        if there and self._ticks - self._less_since > BEATS:
            self._known, self._less_since = there, None
        return there == self._known
