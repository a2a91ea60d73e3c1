"""What the writer thread does: take wishes in groups, commit them, and tell each what became of it."""

from __future__ import annotations

import logging
import sqlite3
from _queue import Empty, SimpleQueue  # the C queue: gevent replaces queue.SimpleQueue by its own
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from math import inf
from typing import Any, TypeVar

from ..clock import Clock
from ..errors import StorageUnavailable
from ..runtime.contract import Signal
from .group import Committer, InDoubt, Member
from .trouble import Locked, Lost, cause, with_cause

GROUP = 64
"""How much joins one commit: so much of what somebody waits for, and so much of what is owed."""

PAUSE_SECONDS = 1.0
"""Pause before what is owed is tried again on a database that cannot write."""

LOST_SECONDS = 0.05
"""Pause before a server that cannot be reached is tried again."""

UNKNOWN = "the connection to the database was lost in a commit: it may have been kept or not"

CLOSED = "storage is closed; nothing was kept"

T = TypeVar("T")

log = logging.getLogger(__name__)


class Desk:
    """Serve the queue of wishes (the line) in the writer's thread; used in it only.

    What it has to say is logged on the loop, through ``call``: logging waits for locks that gevent
    may have replaced, and this thread must never wait for such a one. ``told`` is called here with
    the seconds that each commit took, and must not wait for one either.
    """

    def __init__(
        self,
        committer: Committer,
        line: SimpleQueue[Member | None],
        clock: Clock,
        call: Callable[..., None],
    ) -> None:
        self.committer = committer
        self._call = call
        self.closed: Signal | None = None
        self.ended = False
        self.give_up_at = 0.0
        self.log_is_large = False
        self.told: Callable[[float], object] = _keep_silent
        self._line = line
        self._clock = clock
        self._asked: deque[Member] = deque()
        self._owed: deque[Member] = deque()
        self._rest_until = 0.0
        self._closing = False
        self.well = True

    def run(self) -> None:
        """Serve until told to close; nobody who waits is ever left without an answer."""
        try:
            while not self._finished():
                self._collect()
                self._serve()
            self._checkpoint("TRUNCATE")
        finally:
            self.end()

    def end(self) -> None:
        """Answer everybody who is still in the line."""
        self.ended = True
        for member in (*self._asked, *self._owed):
            self._line.put(member)
        self.turn_away()
        self.committer.discard()
        if self.closed is not None:
            self.closed.set()

    def turn_away(self) -> None:
        """Answer whoever comes too late. From any thread: one takes each out of the line."""
        lost = 0
        with suppress(Empty):
            while True:
                member = self._line.get_nowait()
                if member is None:
                    continue
                if member.done is None:
                    lost += member.weight
                else:
                    member.fail(StorageUnavailable(CLOSED))
        if lost:
            self._call(log.warning, "%d state changes were not written: %s", lost, CLOSED)

    def _finished(self) -> bool:
        if not self._closing or self._asked:
            return False
        return not self._owed or self._clock.monotonic() >= self.give_up_at

    def _collect(self) -> None:
        """Wait until somebody waits for a commit, or what is owed has waited long enough."""
        while not (self._asked or self._closing):
            pause = None
            if self._owed:
                pause = max(self._owed[0].deadline, self._rest_until) - self._clock.monotonic()
                if pause <= 0:
                    break
            try:
                self._take(self._line.get(timeout=pause))
            except Empty:
                break
        self._collect_now()

    def _collect_now(self) -> None:
        try:
            while True:
                self._take(self._line.get_nowait())
        except Empty:
            return

    def _take(self, member: Member | None) -> None:
        if member is None:
            self._closing = True
        elif member.done is None:
            self._owed.append(member)
        else:
            self._asked.append(member)

    def _serve(self) -> None:
        # What is owed comes first: it is about toasts of earlier commits, and a claim it releases
        # may be the one that a member of this very group asks for.
        group = [*_cut(self._owed), *_cut(self._asked)]
        if not group:
            return
        try:
            results = self._commit(group)
        except StorageUnavailable as error:
            if len(group) > 1 and self._may_concern_one(error):
                self._try_alone(group, error)
            else:
                self._put_back(group, error)
        except Exception as error:  # noqa: BLE001 - told to whoever is at fault
            self._try_alone(group, error)
        else:
            self._recover()
            for member, result in zip(group, results, strict=True):
                self._answer(member, result)
        if self.log_is_large:
            self.log_is_large = False
            # Not emptied: to give the file's blocks back and to ask for others with every commit
            # costs each flush of the next seconds more than its rows.
            self._checkpoint("PASSIVE")

    def _checkpoint(self, mode: str) -> None:
        try:
            self.committer.checkpoint(mode)
        except sqlite3.Error as error:
            self._call(log.warning, "the log of the database could not be moved: %s", error)

    def _commit(self, group: Sequence[Member]) -> list[Any]:
        began = self._clock.monotonic()
        try:
            return self._commit_for_certain(group)
        finally:
            self.told(self._clock.monotonic() - began)

    def _commit_for_certain(self, group: Sequence[Member]) -> list[Any]:
        try:
            return self.committer.commit(group)
        except InDoubt as doubt:
            if self._was_kept(group, doubt):
                return doubt.results
            raise Lost(*doubt.args) from doubt.__cause__

    def _was_kept(self, group: Sequence[Member], doubt: InDoubt) -> bool:
        """Find out what became of a commit whose answer was lost, as long as somebody may wait.

        Trying it again without knowing would store everything twice, or take a toast for its own
        duplicate.
        """
        until = min((m.deadline for m in group if m.done is not None), default=0.0)
        while True:
            try:
                return self.committer.was_kept(group, doubt.results)
            except StorageUnavailable as error:
                if self._clock.monotonic() < until:
                    _pause()
                elif until:
                    raise StorageUnavailable(UNKNOWN) from error
                else:  # nobody waits: what is owed bears a repeat
                    return False

    def _may_concern_one(self, error: StorageUnavailable) -> bool:
        """Tell whether others than those whose users somebody holds could be served."""
        one = isinstance(error, Locked) and not isinstance(error, Lost)
        return one and self.committer.locks_users

    def _try_alone(self, group: Sequence[Member], error: Exception) -> None:
        """Give each member a transaction of its own, so that only the one at fault fails.

        Nobody waits for users that somebody holds, but those who are about them, in their order.
        """
        if len(group) == 1:
            self._blame(group[0], error)
            return
        waiting: list[Member] = []
        held: set[str] = set()
        why: StorageUnavailable | None = None
        until = min((m.deadline for m in group if m.done is not None), default=inf)
        for place, member in enumerate(group):
            if why is not None and self._clock.monotonic() >= until:
                waiting += group[place:]  # each lock costs a moment, and somebody's time is up
                break
            if not held.isdisjoint(member.about):
                waiting.append(member)
                continue
            try:
                results = self._commit([member])
            except StorageUnavailable as unavailable:
                why = unavailable
                if not self._may_concern_one(unavailable):
                    waiting += group[place:]
                    break
                waiting.append(member)
                held.update(member.about)
            except Exception as own:  # noqa: BLE001 - told to this member
                self._blame(member, own)
            else:
                self._answer(member, results[0])
        if why is not None:
            self._put_back(waiting, why)

    def _answer(self, member: Member, result: Any) -> None:
        if member.then is None:
            member.answer(result)
            return
        try:
            # Waiters wake in any order; the loop's calls keep the order of the commits.
            self._call(member.proceed, result)
        except RuntimeError:  # the interpreter is shutting down, and no loop can start
            member.answer(result)

    def _blame(self, member: Member, error: Exception) -> None:
        if member.done is None:
            said = cause(error)
            # Of a table that is gone (a host's tests drop them all) that says everything.
            gone = said.startswith(("no such table", "relation "))
            complaint = partial(log.error, "a state change could not be written: %s", said)
            self._call(partial(complaint, exc_info=None if gone else error))
        member.fail(error)

    def _put_back(self, group: Sequence[Member], error: StorageUnavailable) -> None:
        """Keep what may still succeed: what is owed, and waiters with time left at a lock."""
        now = self._clock.monotonic()
        self._owed.extendleft(member for member in reversed(group) if member.done is None)
        self._asked.extendleft(member for member in reversed(group) if member.done is not None)
        self._rest_until = now + PAUSE_SECONDS
        if not isinstance(error, Locked):
            self.give_up_at = now
            self._complain(error)
            self._fail_asked(str(error))
        while self._asked and self._asked[0].deadline <= now:
            self._complain(error)
            self._asked.popleft().fail(Locked(*error.args))
        if isinstance(error, Lost) and (self._asked or self._closing):
            _pause()  # a refused connection costs no time

    def _complain(self, error: StorageUnavailable) -> None:
        """Log the first failure of a row of them: a busy service would fill the disk with it."""
        if self.well:
            self.well = False
            self._call(log.warning, "storage cannot write: %s", with_cause(error))

    def _recover(self) -> None:
        self._rest_until = 0.0
        if not self.well:
            self.well = True
            self._call(log.warning, "storage writes again")

    def _fail_asked(self, why: str) -> None:
        while self._asked:
            self._asked.popleft().fail(StorageUnavailable(why))


def _keep_silent(_seconds: float) -> None:
    """Tell nobody."""


def shares(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut what is too much for one commit."""
    for start in range(0, len(items), GROUP):
        yield items[start : start + GROUP]


def _pause() -> None:
    """Let a moment pass in a native thread: nobody puts anything into this queue."""
    with suppress(Empty):
        SimpleQueue[None]().get(timeout=LOST_SECONDS)


def _cut(line: deque[Member]) -> list[Member]:
    """Take one group's share from the front of a line."""
    share: list[Member] = []
    room = GROUP
    while line and (not share or line[0].weight <= room):
        member = line.popleft()
        room -= member.weight
        share.append(member)
    return share
