"""Time has one source, and one way to be written."""

import time

import pytest

from toastkit.clock import Deadline, SystemClock, iso
from toastkit.testing import ManualClock


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (1_777_970_700_000, "2026-05-05T08:45:00+00:00"),
        (1_777_970_700_999, "2026-05-05T08:45:00+00:00"),
        (0, "1970-01-01T00:00:00+00:00"),
    ],
)
def test_A9_times_have_an_offset_and_whole_seconds(at: int, text: str) -> None:
    assert iso(at) == text


def test_the_systems_clock_tells_milliseconds_and_seconds() -> None:
    clock = SystemClock()
    assert abs(clock.now() - time.time() * 1000) < 60_000
    assert abs(clock.monotonic() - time.monotonic()) < 60


def test_a_manual_clock_moves_when_told() -> None:
    clock = ManualClock(now=5)
    before = clock.monotonic()
    clock.advance(1.5)
    assert (clock.now(), clock.monotonic() - before) == (1505, 1.5)


def test_time_that_is_over_is_over() -> None:
    clock = ManualClock()
    deadline = Deadline(2, clock, "too late")
    assert deadline.left() == 2
    clock.advance(2)
    with pytest.raises(TimeoutError, match="too late"):
        deadline.left()
