"""Read beside the loop what clients missed, once for all who ask the same."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from .. import topics
from ..errors import StorageUnavailable
from ..events import Missed
from ..publishing.inbox import Inbox
from ..records import Position, Since
from ..runtime.contract import Timer
from .parts import NodeParts

Then = Callable[[Missed | None], None]
"""Called on the loop with what was read; ``None`` when it could not be, or not in time."""

AT_ONCE = 4

log = logging.getLogger("toastkit")


class Question(Struct, frozen=True):
    """Ask what a principal's client missed of ``topics`` after ``since``.

    With a ``place``, also what it missed after that of everything it hears: a client that asks for
    some of its topics must not lose what has come on the others since.
    """

    user_id: str
    since: Since
    topics: tuple[str, ...]
    place: Position | None = None
    heard: tuple[str, ...] = ()


class Readings:
    """Answer questions, each with one read that began after it was asked.

    Fifty tabs of one user notice the same gap in one turn of the loop and share one read. A read
    that has begun is not shared: whoever asks now may have been told more than it will find. A few
    jobs read at a time: a thousand gaps at once must not keep everybody else from the database.
    """

    def __init__(self, parts: NodeParts) -> None:
        self._inbox = parts.inbox
        self._runtime = parts.runtime
        self._most = parts.config.replay_most
        self._wait = parts.config.storage_wait_ms / 1000
        self._asked: dict[Question, list[Then]] = {}
        self._line: deque[tuple[Question, _Reading]] = deque()
        self._jobs = 0

    def ask(self, question: Question, then: Then) -> None:
        """Read the answer and call ``then`` with it, after ``storage_wait_ms`` at most."""
        waiting = self._asked.setdefault(question, [])
        waiting.append(then)
        if len(waiting) == 1:
            self._runtime.call(self._begin, question)

    def _begin(self, question: Question) -> None:
        reading = _Reading(self._asked.pop(question))
        reading.timer = self._runtime.call_later(self._wait, lambda: self._end(reading, None))
        self._line.append((question, reading))
        self._set_to_work()

    def _set_to_work(self) -> None:
        if self._line and self._jobs < AT_ONCE:
            try:
                self._runtime.spawn(self._work)
            except RuntimeError as error:  # no thread is to be had
                log.warning("what a client missed is read later: %s", error)
                self._runtime.call_later(1, self._set_to_work)
            else:
                self._jobs += 1

    def _work(self) -> None:
        try:
            while (asked := self._next()) is not None:
                self._read(*asked)
        finally:
            self._runtime.call(self._rest)

    def _next(self) -> tuple[Question, _Reading] | None:
        # Several jobs take from the line; looking first and taking then would not be one step.
        try:
            return self._line.popleft()
        except IndexError:
            return None

    def _rest(self) -> None:
        # Looked at again: what was asked while this job thought that it was done.
        self._jobs -= 1
        self._set_to_work()

    def _read(self, question: Question, reading: _Reading) -> None:
        if not reading.waiting:
            return  # it was given up while it waited
        found: Missed | None = None
        try:
            found = read(self._inbox, question, self._most)
        except StorageUnavailable as error:
            log.warning("what a client missed could not be read: %s", error)
        finally:
            self._runtime.call(self._end, reading, found)

    def _end(self, reading: _Reading, found: Missed | None) -> None:
        waiting, reading.waiting = reading.waiting, []
        if reading.timer is not None:
            reading.timer.cancel()
        for then in waiting:
            # Each in its own turn: two hundred toasts to fifty tabs are not told at once.
            self._runtime.call(then, found)


class _Reading:
    """One read, and who waits for it."""

    __slots__ = ("timer", "waiting")

    def __init__(self, waiting: list[Then]) -> None:
        self.waiting = waiting
        self.timer: Timer | None = None


def read(inbox: Inbox, question: Question, most: int) -> Missed:
    """Return the answer to a question; blocks.

    Raises:
        StorageUnavailable: the database cannot be read.
    """
    user_id, place = question.user_id, question.place
    asked = inbox.missed(user_id, question.since, _hearing(question.topics), most)
    if place is None or asked.reason is not None:
        return asked
    since = Since(position=place)
    later = inbox.missed(user_id, since, _hearing(question.heard), most)
    if later.reason is not None:
        return later
    earlier = tuple(toast for toast in asked.toasts if (toast.seq or 0) <= place.seq)
    return replace(later, toasts=earlier + later.toasts)


def _hearing(heard: tuple[str, ...]) -> Callable[[str], bool]:
    return lambda topic: topics.hears(heard, topic)
