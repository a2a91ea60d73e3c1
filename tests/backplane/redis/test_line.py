"""When a connection that cannot be made is tried again."""

from __future__ import annotations

import pytest

from tests.fakes import FakeRuntime
from toastkit.backplane.redis.counts import Counts
from toastkit.backplane.redis.dial import Place
from toastkit.backplane.redis.line import FIRST_SECONDS, MOST_SECONDS, Line, LineParts, User
from toastkit.testing import ManualClock

pytestmark = pytest.mark.plain


class Away:
    """A line to a Redis that nobody can reach, and what it has said."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.runtime = FakeRuntime(self.clock)
        self.lost: list[str] = []
        parts = LineParts(self.runtime, Place("Redis at x", 0, self.dial), Counts())  # type: ignore[arg-type]
        self.line = Line(parts, User(lambda: None, lambda _: None, self.lost.append))

    def dial(self) -> None:
        raise OSError("Connection refused.")

    def wait(self) -> float:
        """Return how long it waits until it tries again, and let it."""
        (timer,) = self.runtime.timers
        seconds = timer.due - self.clock.monotonic()
        self.clock.advance(seconds)
        self.runtime.fire()
        return seconds


@pytest.fixture
def away() -> Away:
    away = Away()
    away.line.open()
    return away


def test_between_two_tries_it_waits_longer_and_longer_and_at_most_a_second(away: Away) -> None:
    waits = []
    for _ in range(40):
        away.runtime.run_job()
        waits.append(away.wait())
    most = [min(FIRST_SECONDS * 2**n, MOST_SECONDS) for n in range(40)]
    assert all(end / 2 <= wait <= end for wait, end in zip(waits, most, strict=True))
    assert len(set(waits[10:])) > 1, "by chance, so that not all workers come back at once"
    assert set(away.lost) == {"Redis at x: Connection refused"}


def test_closed_it_tries_no_more(away: Away) -> None:
    away.runtime.run_job()
    away.line.close()
    away.clock.advance(MOST_SECONDS)
    away.runtime.fire()
    assert not away.runtime.jobs


def test_closed_while_it_tries_it_tries_no_more_and_says_nothing(away: Away) -> None:
    away.line.close()
    away.runtime.run_job()
    assert (away.runtime.timers, away.lost) == ([], [])
    assert away.line.trouble == "Redis at x: closed"
