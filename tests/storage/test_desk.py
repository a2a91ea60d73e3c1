"""The writer thread's side of the line."""

from __future__ import annotations

from _queue import SimpleQueue
from typing import Any
from unittest.mock import Mock

from toastkit.clock import SystemClock
from toastkit.storage.desk import Desk
from toastkit.storage.group import Member
from toastkit.storage.trouble import Lost


def test_closing_asks_a_server_that_is_away_now_and_then() -> None:
    committer, clock = Mock(commit=Mock(side_effect=Lost("away"))), SystemClock()
    line: SimpleQueue[Any] = SimpleQueue()
    line.put(Member(Mock(), 1, 1))
    line.put(None)
    desk = Desk(committer, line, clock, Mock())
    desk.give_up_at = clock.monotonic() + 0.3
    desk.run()
    assert 1 < committer.commit.call_count < 10
