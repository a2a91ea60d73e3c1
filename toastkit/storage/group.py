"""A group: members that share one commit, and what becomes of each of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from ..runtime.contract import Signal
from .engine import Ways, trouble
from .trouble import Locked, Lost

log = logging.getLogger(__name__)

M = TypeVar("M")
R = TypeVar("R")

Work = Callable[[Connection, Sequence[M]], Sequence[R]]
"""Carry out the wish of several members in few statements; one result for each, in order.

It is carried out again when a commit's answer was lost and nothing was found of it, so it must bear
a repeat, or tell by ``kept``.
"""

Kept = Callable[[Connection, R], bool | None]
"""Tell, on another connection, whether a result was kept; ``None``: that cannot be told by it."""


class Member:
    """One wish that joins a group; whoever made it waits for ``done``, or nobody does.

    ``then`` is what is to happen to the result on the loop before the waiter goes on. ``about``:
    the users whose rows are written.
    """

    __slots__ = (
        *("about", "deadline", "done", "error", "given", "kept", "result", "then"),
        *("weight", "work"),
    )

    def __init__(self, work: Work[Any, Any], given: Any, weight: int) -> None:
        self.work = work
        self.given = given
        self.weight = weight
        self.about: Sequence[str] = ()
        self.kept: Kept[Any] | None = None
        self.deadline = 0.0
        self.done: Signal | None = None
        self.then: Callable[[Any], object] | None = None
        self.result: Any = None
        self.error: Exception | None = None

    def answer(self, result: Any) -> None:
        """Hand over what was committed."""
        self.result = result
        if self.done is not None:
            self.done.set()

    def proceed(self, result: Any) -> None:
        """Do what is to happen to the result, then hand it over; on the loop."""
        try:
            if self.then is not None:
                self.then(result)
        except Exception:
            # Whatever went wrong with that, what was committed was committed.
            log.exception("what was to follow a commit failed")
        self.answer(result)

    def fail(self, error: Exception) -> None:
        """Hand over why nothing was kept; the error must be this member's own object."""
        self.error = error
        if self.done is not None:
            self.done.set()


class InDoubt(Exception):
    """The connection was lost in a commit: it may have been kept or not."""

    def __init__(self, results: list[Any]) -> None:
        super().__init__("the connection was lost in a commit")
        self.results = results


class Committer:
    """Keep the one connection that writes, and carry groups to the disk on it."""

    def __init__(self, engine: Engine, ways: Ways) -> None:
        self._engine = engine
        self._ways = ways
        self._connection: Connection | None = None
        self.locks_users = ways.LOCKS_USERS
        self.commits = 0

    def commit(self, group: Sequence[Member]) -> list[Any]:
        """Carry out a group in one transaction; return one result per member.

        Raises:
            StorageUnavailable: locked, full or gone; nothing was kept.
            InDoubt: it is not known whether it was kept; ``was_kept`` may find out.
            Exception: a member is at fault; nothing was kept.
        """
        results: list[Any] | None = None
        try:
            connection = self._connected()
            with connection.begin():
                about = [user_id for member in group for user_id in member.about]
                self._ways.begin(connection, about)
                results = _carry_out(connection, group)
        except Exception as error:
            told = trouble(error)
            if not isinstance(told, Locked) or isinstance(told, Lost):
                self.discard()
            if told is None:
                raise
            if results is not None and isinstance(told, Lost):
                raise InDoubt(results) from error
            raise told from error
        self.commits += 1
        return results

    def was_kept(self, group: Sequence[Member], results: Sequence[Any]) -> bool:
        """Tell whether a group of which this is in doubt was kept; all of it was, or nothing.

        Raises:
            StorageUnavailable: that cannot be found out now.
        """
        try:
            connection = self._connected()
            with connection.begin():
                # Whose transaction has not ended yet holds its users: its end is waited for here.
                self._ways.begin(connection, [id for member in group for id in member.about])
                for member, result in zip(group, results, strict=True):
                    kept = None if member.kept is None else member.kept(connection, result)
                    if kept is not None:
                        return kept
        except Exception as error:
            told = trouble(error)
            self.discard()
            if told is None:
                raise
            raise told from error
        return False

    def checkpoint(self, mode: str) -> None:
        """Move what the log holds into the database, in one of SQLite's modes.

        Raises:
            sqlite3.Error: it cannot be done now; nothing is lost.
        """
        if self._connection is None or not self._ways.HAS_LOG:
            return
        driver: Any = self._connection.connection.driver_connection
        driver.execute(f"PRAGMA wal_checkpoint({mode})")

    def discard(self) -> None:
        """Give the connection back; the next commit opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection


def _carry_out(connection: Connection, group: Sequence[Member]) -> list[Any]:
    together: dict[Work[Any, Any], list[int]] = {}
    for place, member in enumerate(group):
        together.setdefault(member.work, []).append(place)
    results: list[Any] = [None] * len(group)
    for work, places in together.items():
        answers = work(connection, [group[place].given for place in places])
        for place, answer in zip(places, answers, strict=True):
            results[place] = answer
    return results
