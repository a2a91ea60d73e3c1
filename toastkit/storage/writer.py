"""The one native thread of a process that writes, and the queue (the line) in front of it.

A group is everybody who asked while the last commit ran: the more come, the less each costs.
"""

from __future__ import annotations

from _queue import SimpleQueue  # the C queue: gevent replaces queue.SimpleQueue by its own
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from ..clock import Clock
from ..runtime.contract import Runtime
from .desk import Desk
from .group import Committer, Kept, Member, Work

M = TypeVar("M")
R = TypeVar("R")

OWED_SECONDS = 0.05
"""How long a change nobody waits for may wait for company."""


class Writer:
    """Take wishes from any thread or greenlet; one native thread carries them out in groups.

    Built in the process that uses it, started by its first member. ``close`` once, at the end.
    """

    def __init__(
        self, committer: Committer, runtime: Runtime, clock: Clock, *, wait: float
    ) -> None:
        self._runtime = runtime
        self._clock = clock
        self._wait = wait
        self._line: SimpleQueue[Member | None] = SimpleQueue()
        self._gathered: deque[Member] = deque()
        self._start = [Desk(committer, self._line, clock, runtime.call)]
        self._desk = self._start[0]

    @property
    def commits(self) -> int:
        """How many groups this process has committed."""
        return self._desk.committer.commits

    @property
    def well(self) -> bool:
        """Whether what was tried last could be written."""
        return self._desk.well

    def write(
        self,
        work: Work[M, R],
        given: M,
        weight: int = 1,
        *,
        about: Sequence[str] = (),
        then: Callable[[R], object] | None = None,
        kept: Kept[R] | None = None,
    ) -> R:
        """Carry out a wish in the next group; return its result once it is on disk.

        ``weight``: how many rows it is about; ``about``: the users these are of, all of them.
        ``then`` is given the result on the loop, in the order of the commits, before this returns;
        whatever it raises is logged there. ``kept`` see ``Work``.

        Raises:
            StorageUnavailable: nothing was kept; but when the connection was lost in the commit and
                did not come back in time, that is not known.
        """
        member = Member(work, given, weight)
        member.about = about
        member.then = then
        member.kept = kept
        member.deadline = self._clock.monotonic() + self._wait
        member.done = self._runtime.signal()
        self._join(member)
        member.done.wait()
        if member.error is not None:
            raise member.error
        return member.result  # type: ignore[no-any-return]

    def owe(
        self, work: Work[M, Any], given: M, weight: int = 1, *, about: Sequence[str] = ()
    ) -> None:
        """Carry out a wish nobody waits for; it joins the next group within 50 ms.

        If it cannot be written it is tried again; if it is at fault itself, or comes after
        ``close``, that is logged.
        """
        member = Member(work, given, weight)
        member.about = about
        member.deadline = self._clock.monotonic() + OWED_SECONDS
        self._join(member)

    def tell_commits(self, told: Callable[[float], object]) -> None:
        """Tell how many seconds each commit takes; in the native thread, which must not wait."""
        self._desk.told = told

    def restart_log(self) -> None:
        """Have the log written from its beginning again after the next commit."""
        self._desk.log_is_large = True

    def close(self) -> None:
        """Write what is still owed, empty the log, end the thread; wait for it."""
        if self._gathered:
            self._hand_over()
        if self._start:
            self._desk.ended = True  # nobody ever asked
            return
        closed = self._desk.closed = self._runtime.signal()
        self._desk.give_up_at = self._clock.monotonic() + self._wait
        self._line.put(None)
        closed.wait(self._wait * 2)

    def _join(self, member: Member) -> None:
        if not self._runtime.on_loop():
            self._line.put(member)
            self._attend()
            return
        # Waking the desk costs more than what most members ask for: greenlets that ask in the same
        # turn of the loop are handed over together, and share a commit.
        self._gathered.append(member)
        if len(self._gathered) == 1:
            self._runtime.call(self._hand_over)

    def _hand_over(self) -> None:
        # Whoever closes may be here at once, in another thread: each member is taken by one.
        with suppress(IndexError):
            while True:
                self._line.put(self._gathered.popleft())
        self._attend()

    def _attend(self) -> None:
        """See to it that somebody answers who was just put into the line."""
        if self._desk.ended:
            # Looked at after the put: the desk raises the flag before it empties the line for the
            # last time, so whoever slips in between is answered by one of the two.
            self._desk.turn_away()
        elif self._start:
            self._begin()

    def _begin(self) -> None:
        # Two first callers may meet here. Popping is atomic without a lock, and no lock of
        # ``threading`` may be used: patched ones must not be waited for in a native thread.
        try:
            desk = self._start.pop()
        except IndexError:
            return
        try:
            self._runtime.thread(desk.run)
        except RuntimeError:  # the interpreter is shutting down
            desk.end()
