from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from tests.fakes import control
from toastkit.backplane import MemoryBackplane, memoryhistory
from toastkit.backplane.history import IDLE_META_MS, META_MS, Keep
from toastkit.backplane.memoryhistory import MemoryHistory
from toastkit.runtime import runtime_for
from toastkit.testing import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def history(clock: ManualClock) -> Iterator[MemoryHistory]:
    runtime = runtime_for("auto")
    yield MemoryHistory(MemoryBackplane(runtime), runtime, clock)
    runtime.close()


def publish(history: MemoryHistory, route: str, keep: Keep | None = None) -> None:
    history.append(replace(control(), route=route), keep or Keep())


def test_what_is_over_is_let_go_of_while_others_publish(
    history: MemoryHistory, clock: ManualClock
) -> None:
    for number in range(100):
        publish(history, f"r{number}", Keep(ms=1000))
    clock.advance(2)
    for _ in range(60):
        publish(history, "busy")
    assert list(history._full) == ["busy"]
    assert sum(len(route.kept) for route in history._routes.values()) == 60
    assert len(history._routes) == 101, "their positions are known for longer"
    clock.advance(META_MS / 1000)
    for _ in range(60):
        publish(history, "busy")
    assert list(history._routes) == ["busy"]


def test_a_position_that_is_asked_for_outlives_its_hour(
    history: MemoryHistory, clock: ManualClock
) -> None:
    told = history.newest("quiet", 0).position
    for _ in range(3):
        clock.advance(IDLE_META_MS / 1000 - 1)
        assert history.newest("quiet", 0).position == told
    clock.advance(IDLE_META_MS / 1000 + 1)
    assert history.newest("quiet", 0).position.epoch != told.epoch


def test_only_so_many_routes_are_kept(
    history: MemoryHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memoryhistory, "MAX_ROUTES", 10)
    for number in range(50):
        publish(history, "busy")
        publish(history, f"r{number}")
    assert len(history._routes) <= 11
    assert len(history._full) <= 11
    assert history.newest("busy", 1).position.seq == 50, "the ones used last are kept"


def test_routes_that_stay_busy_keep_no_other_from_being_let_go_of(
    history: MemoryHistory, clock: ManualClock
) -> None:
    for number in range(50):
        publish(history, "busy")
        publish(history, "as busy")
        publish(history, f"r{number}", Keep(ms=1000))
        clock.advance(2)
    assert len(history._full) < 5


def test_who_asks_shortens_no_routes_life(history: MemoryHistory, clock: ManualClock) -> None:
    publish(history, "r")
    told = history.newest("r", 0).position
    clock.advance(META_MS / 1000 - 1)
    assert history.newest("r", 0).position == told
