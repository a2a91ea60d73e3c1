"""The loop's lag, looked at all the time."""

from __future__ import annotations

import pytest

from tests.fakes import FakeRuntime
from toastkit.metrics import Probe
from toastkit.metrics.probe import TICK_SECONDS
from toastkit.testing import ManualClock

pytestmark = pytest.mark.plain


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def runtime(clock: ManualClock) -> FakeRuntime:
    return FakeRuntime(clock)


@pytest.fixture
def told() -> list[float]:
    return []


@pytest.fixture
def probe(runtime: FakeRuntime, clock: ManualClock, told: list[float]) -> Probe:
    probe = Probe(runtime, clock, told.append)
    probe.start()
    runtime.run()
    return probe


def look(runtime: FakeRuntime, clock: ManualClock, seconds: float) -> None:
    clock.advance(seconds)
    runtime.fire()


def test_a_timer_that_comes_early_is_not_late(
    runtime: FakeRuntime, clock: ManualClock, told: list[float]
) -> None:
    Probe(runtime, ManualClock(), told.append).start()  # a clock on which no time has passed
    runtime.run()
    look(runtime, clock, TICK_SECONDS)
    assert told == [0]


@pytest.mark.usefixtures("probe")
def test_how_late_the_loop_is_is_told(
    runtime: FakeRuntime, clock: ManualClock, told: list[float]
) -> None:
    for seconds in (TICK_SECONDS, TICK_SECONDS + 0.3, TICK_SECONDS):
        look(runtime, clock, seconds)
    assert told == pytest.approx([0, 0.3, 0])


def test_a_test_may_have_it_look_now(probe: Probe, told: list[float]) -> None:
    assert not probe.stopped
    assert probe.look_now(1)
    assert told == [0]


@pytest.mark.parametrize("end", ["cancel", "abandon"])
def test_after_the_end_nobody_looks(
    runtime: FakeRuntime, clock: ManualClock, probe: Probe, told: list[float], end: str
) -> None:
    getattr(probe, end)()
    assert probe.stopped
    look(runtime, clock, 1)
    assert told == []
    assert not runtime.timers


def test_a_look_that_fails_is_followed_by_another(runtime: FakeRuntime, clock: ManualClock) -> None:
    def fail(_late: float) -> None:
        raise RuntimeError

    probe = Probe(runtime, clock, fail)
    probe.start()
    runtime.run()
    clock.advance(1)
    with pytest.raises(RuntimeError):
        runtime.fire()
    assert len(runtime.timers) == 1
