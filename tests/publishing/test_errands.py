"""What is done beside everything else: nobody waits for it, but the end does."""

from __future__ import annotations

import pytest

from tests.fakes import FakeRuntime
from toastkit.publishing.errands import Errands
from toastkit.testing import ManualClock


@pytest.fixture
def runtime() -> FakeRuntime:
    return FakeRuntime(ManualClock())


@pytest.fixture
def errands(runtime: FakeRuntime) -> Errands:
    return Errands(runtime, runtime.clock)


def test_the_end_waits_until_all_are_back(errands: Errands, runtime: FakeRuntime) -> None:
    done: list[int] = []
    for number in range(3):
        errands.begin(lambda number=number: done.append(number))  # type: ignore[misc]
    assert done == []
    errands.finish(2)
    assert done == [0, 1, 2]


def test_one_that_fails_is_back(errands: Errands, runtime: FakeRuntime) -> None:
    errands.begin([].pop)
    with pytest.raises(IndexError):
        runtime.run_job()
    assert _waits_for_nothing(errands, runtime)


def test_one_that_could_not_begin_is_not_waited_for(
    errands: Errands, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_thread(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(runtime, "spawn", no_thread)
    with pytest.raises(RuntimeError):
        errands.begin(lambda: None)
    assert _waits_for_nothing(errands, runtime)


def test_a_forked_child_waits_for_none_of_its_parents(
    errands: Errands, runtime: FakeRuntime
) -> None:
    errands.begin(lambda: None)
    runtime.jobs.clear()  # they go on where they began
    errands.abandon()
    assert _waits_for_nothing(errands, runtime)


def _waits_for_nothing(errands: Errands, runtime: FakeRuntime) -> bool:
    waited: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.fakes.FakeSignal.wait", lambda _, seconds=0.0: waited.append(seconds))
        errands.finish(2)
    return not waited
