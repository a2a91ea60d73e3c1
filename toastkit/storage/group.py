"""A group: members that share one commit, and what becomes of each of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from ..runtime.contract import Signal
from .engine import Locked, trouble

log = logging.getLogger(__name__)

M = TypeVar("M")
R = TypeVar("R")

Work = Callable[[Connection, Sequence[M]], Sequence[R]]
"""Carry out the wish of several members in few statements; one result for each, in order."""


class Member:
    """One wish that joins a group; whoever made it waits for ``done``, or nobody does.

    ``then`` is what is to happen to the result on the loop before the waiter goes on.
    """

    __slots__ = ("deadline", "done", "error", "given", "result", "then", "weight", "work")

    def __init__(self, work: Work[Any, Any], given: Any, weight: int) -> None:
        self.work = work
        self.given = given
        self.weight = weight
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


class Committer:
    """Keep the one connection that writes, and carry groups to the disk on it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self.commits = 0

    def commit(self, group: Sequence[Member]) -> list[Any]:
        """Carry out a group in one transaction; return one result per member.

        Raises:
            StorageUnavailable: locked, full or gone; nothing was kept.
            Exception: a member is at fault; nothing was kept.
        """
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            with self._connection.begin():
                results = _carry_out(self._connection, group)
        except Exception as error:
            told = trouble(error)
            if not isinstance(told, Locked):
                self.discard()
            if told is None:
                raise
            raise told from error
        self.commits += 1
        return results

    def checkpoint(self, mode: str) -> None:
        """Move what the log holds into the database, in one of SQLite's modes.

        Raises:
            sqlite3.Error: it cannot be done now; nothing is lost.
        """
        if self._connection is None:
            return
        driver: Any = self._connection.connection.driver_connection
        driver.execute(f"PRAGMA wal_checkpoint({mode})")

    def discard(self) -> None:
        """Give the connection back; the next commit opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()


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
