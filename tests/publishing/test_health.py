"""While the other side is away it is asked now and then; when it answers, everybody may go."""

from __future__ import annotations

from typing import Any

import pytest

from toastkit.publishing.health import Health
from toastkit.testing import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def health(clock: ManualClock) -> Health:
    return Health(clock, lambda: 1.0)


def miss(health: Health, clock: ManualClock, seconds: Any = None) -> float:
    """Have an attempt begin and fail now; return how long the pause is."""
    clock.advance(0.001)
    health.missed(clock.monotonic(), seconds)
    return round(health.pause, 3)


def test_all_places_are_there_while_it_is_well(health: Health) -> None:
    assert (health.well, health.pause, health.room(64, [1.0, 2.0])) == (True, 0, 64)


def test_one_attempt_at_a_time_asks_whether_it_is_back(health: Health, clock: ManualClock) -> None:
    miss(health, clock)
    assert health.room(64, []) == 0
    clock.advance(1)
    assert health.room(64, []) == 1
    assert health.room(0, []) == 0
    assert health.room(63, [clock.monotonic()]) == 0, "somebody asks already"
    health.answered()
    assert health.room(63, [clock.monotonic()]) == 63


def test_what_hangs_since_before_keeps_nobody_from_asking(
    health: Health, clock: ManualClock
) -> None:
    long_ago = clock.monotonic()
    miss(health, clock)
    clock.advance(1)
    assert health.room(60, [long_ago] * 4) == 1


def test_it_is_asked_ever_more_rarely(health: Health, clock: ManualClock) -> None:
    pauses = []
    for _ in range(8):
        pauses.append(miss(health, clock))
        clock.advance(pauses[-1])
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


def test_a_pause_is_never_shorter_than_half(clock: ManualClock) -> None:
    assert miss(Health(clock, lambda: 0.0), clock) == 0.5


def test_what_it_names_is_kept_to(health: Health, clock: ManualClock) -> None:
    assert miss(health, clock, 90) == 90


def test_nobody_is_left_alone_for_a_day(health: Health, clock: ManualClock) -> None:
    """Else one wrong answer would cost every push, for most are given up after an hour."""
    assert miss(health, clock, 86_400) == 600


@pytest.mark.parametrize("named", [0, -3, float("nan"), float("inf"), "soon", None])
def test_what_is_no_time_is_not_kept_to(health: Health, clock: ManualClock, named: Any) -> None:
    assert miss(health, clock, named) == 1


def test_of_many_that_fail_together_the_first_counts(health: Health, clock: ManualClock) -> None:
    began = clock.monotonic()
    clock.advance(5)
    for _ in range(64):
        health.missed(began)
    assert health.pause == 1


def test_one_that_is_silent_for_longer_than_anybody_waits_is_not_prompt(
    health: Health, clock: ManualClock
) -> None:
    began = clock.monotonic()
    clock.advance(0.25)
    assert health.prompt([began], 0.25)
    clock.advance(0.01)
    assert not health.prompt([began, clock.monotonic()], 0.25)
    assert health.well
    health.answered()
    assert health.prompt([began], 0.25), "another was answered meanwhile"
    assert health.prompt([], 0.25)


def test_nothing_is_prompt_while_it_is_away(health: Health, clock: ManualClock) -> None:
    miss(health, clock)
    assert not health.prompt([], 0.25)
    assert not health.prompt([clock.monotonic()], 0.25)


def test_how_long_and_how_often_it_was_away_is_known(health: Health, clock: ManualClock) -> None:
    assert (health.times, health.lasts) == (0, 0)
    for _ in range(3):
        miss(health, clock)
        clock.advance(5)
    assert (health.times, round(health.lasts)) == (3, 15)
    health.answered()
    assert (health.times, health.lasts) == (0, 0)
