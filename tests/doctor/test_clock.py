"""What is said of the clock."""

from __future__ import annotations

import pytest

from tests.doctor.known import AT, database, server
from toastkit.doctor.clock import FAIL_MS, WARN_MS, check, gather
from toastkit.doctor.patient import ClockFacts
from toastkit.storage import Rows

pytestmark = pytest.mark.plain


@pytest.mark.parametrize(
    ("readings", "wrong"),
    [
        (ClockFacts(AT, AT + 7, 7), []),
        (ClockFacts(AT, AT + 900, 7), []),
        (ClockFacts(AT, AT - 3_600_000, 7), ["fail"]),
        (ClockFacts(AT, AT + 3_600_000, 7), ["fail"]),
        (ClockFacts(0, 7, 7), ["fail"]),
        (ClockFacts(5 * 10**12, 5 * 10**12, 0), ["fail"]),
    ],
)
def test_a_clock_goes_evenly_and_is_of_these_years(readings, wrong, facts, levels):
    assert levels(check, facts(clock=readings)) == [(level, "clock") for level in wrong]


def test_a_clock_that_is_set_back_meanwhile_is_noticed(patient, clock, facts, levels):
    clock.advance(5)
    assert levels(check, facts(clock=gather(patient))) == []
    clock._now -= 60_000
    assert levels(check, facts(clock=gather(patient))) == [("fail", "clock")]


@pytest.mark.parametrize(
    ("ahead", "wrong"),
    [(0, []), (WARN_MS - 1, []), (WARN_MS, ["warn"]), (-WARN_MS, ["warn"]), (FAIL_MS, ["fail"])],
)
def test_the_server_tells_of_another_clock(ahead, wrong, facts, levels):
    known = database(server=server(ahead_ms=ahead, blur_ms=0))
    assert levels(check, facts(database=known)) == [(level, "clock") for level in wrong]


@pytest.mark.parametrize(("ahead", "wrong"), [(0, []), (60_000, [("warn", "clock")])])
def test_a_toast_of_the_future_tells_of_a_clock_that_was_set_back(ahead, wrong, facts, levels):
    known = database(rows=Rows(newest_at=AT + ahead))
    assert levels(check, facts(database=known)) == wrong
