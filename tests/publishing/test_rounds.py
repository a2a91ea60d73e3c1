"""Rounds come again and again, at once when somebody hurries, until they are stopped."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from unittest.mock import Mock

import pytest

from tests.fakes import FakeRuntime, FakeSignal
from toastkit.errors import ConfigError, StorageUnavailable
from toastkit.publishing.rounds import Round, Rounds
from toastkit.runtime import runtime_for
from toastkit.testing import ManualClock

Looks = Callable[..., Rounds]


def go_round(rounds: Rounds, runtime: FakeRuntime, times: int) -> list[float | None]:
    """Let started rounds come so often, then cancel them; return how long each was waited for."""
    waits: list[float | None] = []

    class Bell(FakeSignal):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout)
            if len(waits) > times:
                rounds.cancel()
            return self._set

    rounds._bell = Bell(runtime)
    runtime.signal = lambda: Bell(runtime)  # type: ignore[method-assign]
    runtime.run_job()
    del runtime.signal
    return waits


@pytest.fixture
def runtime() -> FakeRuntime:
    return FakeRuntime(ManualClock())


def started(runtime: FakeRuntime, look: Callable[[], object]) -> Rounds:
    rounds = Rounds(runtime, Round(look, 0.5, "due things"))
    rounds.start()
    return rounds


def failing(*errors: Exception | None) -> Mock:
    return Mock(side_effect=[*errors])


def test_a_round_comes_after_each_pause(runtime: FakeRuntime) -> None:
    look = Mock()
    assert go_round(started(runtime, look), runtime, 2) == [0.5] * 3
    assert look.call_count == 2


def test_a_database_that_is_away_is_its_own_to_tell_and_the_next_round_comes(
    runtime: FakeRuntime, caplog: pytest.LogCaptureFixture
) -> None:
    broken = StorageUnavailable("the database is locked")
    look = failing(broken, broken, None, broken)
    go_round(started(runtime, look), runtime, 4)
    assert look.call_count == 4
    assert not caplog.records


def test_tables_that_are_missing_are_told_once(
    runtime: FakeRuntime, caplog: pytest.LogCaptureFixture
) -> None:
    lacking = ConfigError("the database lacks toastkit_toasts: flask db upgrade")
    with caplog.at_level(logging.WARNING):
        go_round(started(runtime, failing(lacking, lacking, None, lacking)), runtime, 4)
    told = "due things cannot be looked for: the database lacks toastkit_toasts: flask db upgrade"
    assert [record.getMessage() for record in caplog.records] == [told] * 2
    assert not [record for record in caplog.records if record.exc_info]


def test_nothing_ends_the_rounds(runtime: FakeRuntime, caplog: pytest.LogCaptureFixture) -> None:
    look = failing(RuntimeError("unexpected"), None)
    go_round(started(runtime, look), runtime, 2)
    assert look.call_count == 2
    assert "a look for due things failed" in caplog.text


def test_one_that_is_abandoned_never_looks_again(runtime: FakeRuntime) -> None:
    look = Mock()
    rounds = started(runtime, look)
    bell = rounds._bell = Mock()
    rounds.abandon()
    runtime.run_job()
    assert not look.called
    assert not bell.set.called  # the parent's


def test_one_that_never_started_is_stopped_at_once(runtime: FakeRuntime) -> None:
    rounds = Rounds(runtime, Round(Mock(), 0.5, "due things"))
    rounds.hurry()
    rounds.stop(1)
    assert not runtime.jobs


@pytest.fixture
def real() -> Looks:
    """Start rounds on a real runtime, an hour apart."""

    def start(look: Callable[[], object]) -> Rounds:
        rounds = Rounds(runtime_for("auto"), Round(look, 3600, "due things"))
        rounds.start()
        return rounds

    return start


def test_whoever_hurries_has_a_round_begin_at_once(real: Looks) -> None:
    looked = threading.Semaphore(0)
    rounds = real(looked.release)
    for _ in range(200):
        rounds.hurry()
        assert looked.acquire(timeout=5)
    rounds.stop(5)
    assert rounds._ended is not None
    assert rounds._ended.wait(0)


def test_whoever_hurries_in_a_round_has_another_one_follow(real: Looks) -> None:
    looked = threading.Semaphore(0)
    rounds: list[Rounds] = []

    def look() -> None:
        if not looks:
            rounds[0].hurry()
        looks.append(1)
        looked.release()

    looks: list[int] = []
    rounds.append(real(look))
    rounds[0].hurry()
    assert looked.acquire(timeout=5)
    assert looked.acquire(timeout=5)
    rounds[0].stop(5)


@pytest.mark.parametrize("number", range(50))
def test_whoever_stops_at_any_moment_waits_for_no_pause(real: Looks, number: int) -> None:
    looked = threading.Semaphore(0)
    rounds = real(looked.release)
    if number % 2:
        rounds.hurry()
    rounds.stop(5)
    assert rounds._ended is not None
    assert rounds._ended.wait(0)
