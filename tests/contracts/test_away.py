"""The other side is away: it is asked now and then, and everything leaves when it is back."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.contracts.test_carrying import Office, Open, Post, office
from toastkit.deliveries import Later, Refusal, Sent
from toastkit.publishing.posting import ROOM

__all__ = ["office"]

AWHILE = 600
AWAY = Later("nobody answers", away=True)


class Apple(Post):
    """Answer the same for as long as a test says."""

    room = 64

    def __init__(self, answer: Any = AWAY) -> None:
        super().__init__("push")
        self.answer = answer

    def post(self, delivery: Any) -> Any:
        if not self.answers:
            self.answers = [self.answer]
        return super().post(delivery)


def wait(here: Office, seconds: int) -> None:
    """Let time pass with a look every second, and let every attempt end."""
    for _ in range(seconds):
        here.clock.advance(1)
        here.carry()


@pytest.mark.parametrize(
    ("answer", "why"), [(AWAY, "nobody answers"), (OSError("no route for ada"), "OSError")]
)
def test_ten_minutes_away_cost_few_attempts_and_then_all_leave_at_once(
    office: Open, answer: Any, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    push = Apple(answer)
    here = office(push)
    for _ in range(300):
        here.owe("push")
    with caplog.at_level(logging.WARNING):
        here.carry()
        assert len(push.posted) == 64, "nobody knew yet"
        wait(here, AWHILE)
        assert len(push.posted) < 64 + 6 + AWHILE / 20
        push.answer = Sent()
        wait(here, 40)
    assert here.states().count("sent") == len(here.states()) == 100
    assert here.storage.deliveries.waiting() == {}
    told = [each.getMessage() for each in caplog.records if "what push is posted" in each.message]
    assert [text.partition(";")[0] for text in told] == [
        f"what push is posted to does not answer ({why})",
        "what push is posted to answers again",
    ]


def test_what_was_tried_while_it_was_away_does_not_come_back_ever_more_rarely(
    office: Open,
) -> None:
    push = Apple()
    here = office(push)
    id = here.owe("push")
    wait(here, AWHILE)
    assert here.shown(id).attempts > 20
    at = here.shown(id).next_attempt_at
    assert at is not None
    assert at - here.clock.now() <= 30_000


@pytest.mark.parametrize("answer", [Refusal("bad token"), Later("too many for this phone")])
def test_whatever_it_answers_it_is_there(office: Open, answer: Any) -> None:
    push = Apple()
    here = office(push)
    for _ in range(10):
        here.owe("push")
    here.carry()
    assert not here.courier.prompt("push")
    push.answer = answer
    wait(here, 1)
    assert len(push.posted) == 11, "one asks"
    assert not here.courier.prompt("push"), "the others go first"
    here.carry()
    assert here.courier.prompt("push")


def test_one_phone_that_is_always_busy_comes_back_ever_more_rarely(office: Open) -> None:
    here = office(push := Apple(Sent()))
    busy, post = here.owe("push"), push.post
    push.post = lambda each: AWAY if each.id == busy else post(each)  # type: ignore[method-assign]
    for _ in range(AWHILE // 10):
        here.owe("push")
        wait(here, 10)
    assert 5 < here.shown(busy).attempts < 25
    at = here.shown(busy).next_attempt_at
    assert at is not None
    assert at - here.clock.now() <= 60_000


def test_an_outage_of_moments_is_not_told_of(
    office: Open, caplog: pytest.LogCaptureFixture
) -> None:
    here = office(push := Apple())
    for _ in range(10):
        here.owe("push")
        push.answer = AWAY
        wait(here, 2)
        push.answer = Sent()
        wait(here, 4)
    assert "what push is posted" not in caplog.text


def test_others_kinds_do_not_wait_for_it(office: Open) -> None:
    push, mail = Apple(), Post()
    here = office(push, mail)
    here.owe("push")
    here.carry()
    for _ in range(ROOM):
        here.owe()
    here.carry()
    assert (len(push.posted), len(mail.posted)) == (1, ROOM)


def test_one_delivery_that_always_fails_holds_up_no_other(office: Open) -> None:
    here = office(push := Apple(Sent()))
    poison = here.owe("push")
    post = push.post

    def picky(delivery: Any) -> Any:
        if delivery.id == poison:
            raise ValueError("too long")
        return post(delivery)

    push.post = picky  # type: ignore[method-assign]
    for _ in range(20):
        here.owe("push")
        wait(here, 2)
    wait(here, 2)
    assert here.states() == ["waiting", *["sent"] * 20]
    assert here.shown(poison).attempts < 8


def test_it_is_prompt_while_it_is_well_and_there_is_room(office: Open) -> None:
    here = office(Post())
    assert here.courier.prompt("mail")
    assert not here.courier.prompt("pigeon")
    for _ in range(ROOM):
        here.owe()
    here.courier.carry()
    assert not here.courier.prompt("mail")
    here.end()
    assert not here.courier.prompt("mail"), "more may be due"
    here.carry()
    assert here.courier.prompt("mail")
    here.courier.abandon()
    assert not here.courier.prompt("mail")


def test_a_sender_with_more_room_is_given_more(office: Open) -> None:
    here = office(Apple(Sent()))
    for _ in range(100):
        here.owe("push")
    here.courier.carry()
    assert len(here.runtime.jobs) == 64


def test_finishing_carries_all_that_is_due_and_leaves_what_is_not(office: Open) -> None:
    here = office(post := Post("mail", Later("busy")))
    for _ in range(3 * ROOM):
        here.owe()
    here.courier.finish()
    here.flush()
    assert len(post.posted) == 3 * ROOM
    assert sorted(here.states()) == [*["sent"] * (3 * ROOM - 1), "waiting"]
