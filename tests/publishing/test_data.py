"""Pruning goes in steps; forgetting ends a user's connections; user ids are read as elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from toastkit.config import Config
from toastkit.errors import ConfigError, Invalid, StorageUnavailable
from toastkit.publishing import Data, DataParts
from toastkit.testing import ManualClock

DAY_MS = 24 * 3600 * 1000
STEPS = [("toasts", 500), ("toasts", 700), ("tickets", 3)]


class FakeKeeping:
    def __init__(self, log: list[Any]) -> None:
        self.log = log
        self.failure: Exception | None = None

    def prune(self, now: int, retention_ms: int) -> Iterator[tuple[str, int]]:
        self.log.append((now, retention_ms))
        for step in STEPS:
            self._fail()
            self.log.append(step)
            yield step

    def forget(self, user_id: str, progress: Any = None) -> dict[str, int]:
        self._fail()
        if progress is not None:
            progress("toasts", 7)
        self.log.append(f"forget {user_id}")
        return {"toasts": 7}

    def anonymous_of(self, user_id: str) -> list[str]:
        return [f"visitor {user_id} was"]

    def export(self, user_id: str) -> dict[str, list[dict[str, Any]]]:
        return {"toasts": [{"user_id": user_id}]}

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def log() -> list[Any]:
    return []


@pytest.fixture
def keeping(log: list[Any]) -> FakeKeeping:
    return FakeKeeping(log)


@pytest.fixture
def data(keeping: FakeKeeping, log: list[Any]) -> Data:
    def say(word: str) -> Callable[..., None]:
        return lambda *about: log.append(" ".join([word, *about]))

    config = Config(database_url="sqlite:///x.db", retention_days=3)
    return Data(DataParts(keeping, config, ManualClock(5000), say("dismiss"), say("breathe")))


def test_pruning_counts_by_table_and_lets_others_run(data: Data, log: list[Any]) -> None:
    assert data.prune() == {"toasts": 700, "tickets": 3}
    first, *steps = log
    assert first == (5000, 3 * DAY_MS)
    assert steps == [each for step in STEPS for each in (step, "breathe")]


def test_progress_is_told_of_every_step(data: Data) -> None:
    told: list[tuple[str, int]] = []
    data.prune(lambda table, rows: told.append((table, rows)))
    assert told == STEPS


def test_the_sweeper_prunes_one_batch_at_a_time(data: Data, log: list[Any]) -> None:
    assert data.prune_some()
    assert log[1:] == STEPS[:1]
    assert [data.prune_some() for _ in range(3)] == [True, True, False]
    assert data.prune_some()  # from the beginning
    assert log[4:] == [(5000, 3 * DAY_MS), STEPS[0]]


def test_after_a_failure_pruning_begins_anew(data: Data, keeping: FakeKeeping) -> None:
    assert data.prune_some()
    keeping.failure = StorageUnavailable("locked")
    with pytest.raises(StorageUnavailable):
        data.prune_some()
    keeping.failure = None
    assert [data.prune_some() for _ in range(4)] == [True, True, True, False]


def test_who_is_forgotten_is_dismissed_afterwards(data: Data, log: list[Any]) -> None:
    assert data.forget(7) == {"toasts": 7}
    assert log == ["forget 7", "dismiss 7", "dismiss visitor 7 was"]


def test_how_far_forgetting_is_is_told(data: Data) -> None:
    told: list[tuple[str, int]] = []
    data.forget("ada", lambda table, rows: told.append((table, rows)))
    assert told == [("toasts", 7)]


def test_who_could_not_be_forgotten_stays_connected(
    data: Data, keeping: FakeKeeping, log: list[Any]
) -> None:
    keeping.failure = ConfigError("no such table")
    with pytest.raises(ConfigError):
        data.forget("ada")
    assert log == []


def test_an_export_is_of_one_user(data: Data) -> None:
    assert data.export("ada") == {"toasts": [{"user_id": "ada"}]}


@pytest.mark.parametrize("user_id", ["", None, "a:b", "anon"])
def test_nobody_is_neither_forgotten_nor_exported(data: Data, log: list[Any], user_id: Any) -> None:
    for job in (data.forget, data.export):
        with pytest.raises(Invalid):
            job(user_id)
    assert log == []
