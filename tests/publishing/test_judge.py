"""What follows an attempt: for its delivery, and for what is told of an outage."""

from __future__ import annotations

import pytest

from toastkit.deliveries import Carried, Delivery, Later, Outcome, Sent
from toastkit.publishing.judge import Judge
from toastkit.publishing.posting import Raised
from toastkit.testing import ManualClock

HOUR = 3_600_000


class Bench:
    """A judge of pushes, and whoever comes before it."""

    def __init__(self, chance: float = 0.0) -> None:
        self.clock = ManualClock()
        self.judge = Judge(self.clock, lambda: chance)

    def carried(self, outcome: Outcome, attempts: int = 0) -> Carried:
        """Have an attempt begin and end now."""
        self.clock.advance(0.001)
        delivery = Delivery(
            id="d",
            kind="apns",
            target="phone",
            payload={},
            created_at=0,
            expires_at=self.clock.now() + HOUR,
            attempts=attempts,
        )
        return self.judge.carried(delivery, self.clock.monotonic(), outcome)

    def pause(self, outcome: Outcome, attempts: int = 0) -> int:
        """Return the milliseconds until the next attempt."""
        at = self.carried(outcome, attempts).next_attempt_at
        assert at is not None
        return at - self.clock.now()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_nobody_comes_back_before_the_other_side_is_asked_again(bench: Bench) -> None:
    """Another process, which knows nothing of it, would take it at once and use up an attempt."""
    assert bench.pause(Later("503", away=True)) == 500
    assert bench.pause(Later("503", away=True)) == 1000


def test_one_that_is_busy_comes_back_by_itself(bench: Bench) -> None:
    bench.carried(Later("503", away=True))
    assert bench.pause(Later("429")) == 0


def test_an_outage_is_told_of_with_what_was_answered(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.carried(Later("503 Shutdown", away=True))
    bench.clock.advance(9)
    bench.carried(Later("503 Shutdown", away=True))
    assert not caplog.records
    bench.clock.advance(1)
    for _ in range(2):
        bench.carried(Later("503 Shutdown", away=True))
    bench.carried(Sent())
    away, back = [record.getMessage() for record in caplog.records]
    assert "what apns is posted to does not answer (503 Shutdown)" in away
    assert "what apns is posted to answers again" in back


def test_what_was_raised_is_told_by_its_name_alone(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.carried(Raised("SMTPError: ada@example.com is full"))
    bench.clock.advance(10)
    bench.carried(Raised("SMTPError: ada@example.com is full"))
    assert "(SMTPError)" in caplog.text
    assert "ada@" not in caplog.text


def test_an_answer_is_kept_as_any_database_can_hold_it(bench: Bench) -> None:
    assert bench.carried(Sent("a\0b\n" + "x" * 600)).answer == "a b " + "x" * 496
