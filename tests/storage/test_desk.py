"""The writer thread's side of the line."""

from __future__ import annotations

from _queue import SimpleQueue
from collections.abc import Sequence
from typing import Any
from unittest.mock import Mock

from toastkit.clock import SystemClock
from toastkit.storage.desk import Desk
from toastkit.storage.group import Member
from toastkit.storage.trouble import Locked, Lost
from toastkit.testing import ManualClock


def test_closing_asks_a_server_that_is_away_now_and_then() -> None:
    committer, clock = Mock(commit=Mock(side_effect=Lost("away"))), SystemClock()
    line: SimpleQueue[Any] = SimpleQueue()
    line.put(Member(Mock(), 1, 1))
    line.put(None)
    desk = Desk(committer, line, clock, Mock())
    desk.give_up_at = clock.monotonic() + 0.3
    desk.run()
    assert 1 < committer.commit.call_count < 10


def test_who_waits_behind_many_that_are_held_is_told_in_time() -> None:
    clock, line = ManualClock(), SimpleQueue[Any]()

    def lock(group: Sequence[Member]) -> list[Any]:
        clock.advance(0.1)
        raise Locked("held")

    members = [Member(Mock(), number, 1) for number in range(20)]
    for number, member in enumerate(members):
        member.about = [f"user{number}"]
    members[-1].done, members[-1].deadline = Mock(), clock.monotonic() + 0.5
    for member in members:
        line.put(member)
    desk = Desk(Mock(commit=Mock(side_effect=lock), locks_users=True), line, clock, Mock())
    desk._collect_now()
    desk._serve()
    assert isinstance(members[-1].error, Locked)
    assert desk.committer.commit.call_count < 10  # type: ignore[attr-defined]
