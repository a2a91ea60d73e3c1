"""What is owed is posted until it is taken, refused or over; on every database."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.fakes import FakeRuntime
from toastkit import ids
from toastkit.config import Config
from toastkit.deliveries import Delivery, Later, Refusal, Sent, StoredDelivery
from toastkit.publishing.courier import Courier, CourierParts
from toastkit.publishing.pauses import pause_seconds
from toastkit.publishing.posting import ROOM, Senders
from toastkit.storage import Storage
from toastkit.testing import ManualClock

HOUR = 3600
SECRET = "s3cret-of-the-payload"


class Post:
    """Send as a test says: each answer is an outcome to return or an exception to raise."""

    def __init__(self, kind: str = "mail", *answers: Any) -> None:
        self.kind = kind
        self.answers = list(answers)
        self.posted: list[Delivery] = []

    def post(self, delivery: Delivery) -> Any:
        self.posted.append(delivery)
        answer = self.answers.pop(0) if self.answers else Sent("taken")
        if isinstance(answer, BaseException):
            raise answer
        return answer


class Office:
    """Hold one courier, the jobs it began, and what it carries for."""

    def __init__(self, storage: Storage, clock: ManualClock, *senders: Post) -> None:
        self.storage, self.clock = storage, clock
        self.runtime = FakeRuntime(clock)
        self.inside = 0
        self.senders: Senders | None = Senders(senders, self._context)
        self.courier = Courier(
            CourierParts(
                Config(), clock, self.runtime, storage.deliveries, lambda: self.senders, lambda: 1.0
            )
        )

    @contextmanager
    def _context(self) -> Iterator[None]:
        self.inside += 1
        yield

    def owe(self, kind: str = "mail", seconds: int = 2 * HOUR) -> str:
        now = self.clock.now()
        delivery = Delivery(
            id=ids.delivery_id(now),
            kind=kind,
            target="ada",
            payload={"text": SECRET},
            created_at=now,
            expires_at=now + seconds * 1000,
        )
        self.storage.deliveries.add(delivery)
        return delivery.id

    def carry(self) -> None:
        """Look once, and let every attempt end."""
        self.courier.carry()
        self.end()

    def end(self) -> None:
        while self.runtime.jobs:
            self.runtime.run_job()
        self.flush()

    def flush(self) -> None:
        self.storage.inbox.facts("nothing")  # what is owed is carried out before what is asked

    def pass_time(self, seconds: float) -> None:
        """Let time pass as it does: with a look every five seconds."""
        until = self.clock.monotonic() + seconds
        while (left := until - self.clock.monotonic()) > 0:
            self.clock.advance(min(5, left))
            self.courier.carry()

    def shown(self, id: str) -> StoredDelivery:
        [found] = [each for each in self.storage.deliveries.recent(1000) if each.id == id]
        return found

    def states(self) -> list[str]:
        return [each.state for each in reversed(self.storage.deliveries.recent(100))]


Open = Callable[..., Office]


@pytest.fixture
def office(storage: Storage, clock: ManualClock) -> Open:
    return lambda *senders: Office(storage, clock, *senders)


def test_what_is_owed_is_posted_in_the_hosts_context_and_was_sent(office: Open) -> None:
    post = Post()
    here = office(post)
    id = here.owe()
    here.carry()
    here.carry()
    assert [each.id for each in post.posted] == [id]
    assert post.posted[0].payload == {"text": SECRET}
    assert here.inside == 1
    shown = here.shown(id)
    assert (shown.state, shown.attempts, shown.last_answer) == ("sent", 1, "taken")


def test_a_refusal_is_final(office: Open) -> None:
    post = Post("mail", Refusal("no such mailbox"))
    here = office(post)
    id = here.owe()
    here.carry()
    here.clock.advance(HOUR)
    here.carry()
    assert len(post.posted) == 1
    assert (here.shown(id).state, here.shown(id).last_answer) == ("failed", "no such mailbox")


def test_later_for_hours_is_tried_ever_more_rarely_and_sent_in_the_end(office: Open) -> None:
    post = Post("mail", *[Later("busy")] * 18)
    here = office(post)
    id, pauses = here.owe(seconds=3 * HOUR), []
    here.carry()
    while (at := here.shown(id).next_attempt_at) is not None:
        pauses.append((at - here.clock.now()) / 1000)
        here.clock.advance(pauses[-1] - 0.001)
        here.carry()
        assert len(post.posted) == len(pauses), "too early"
        here.clock.advance(0.001)
        here.carry()
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 512, *[600] * 9]
    assert [each.attempts for each in post.posted] == list(range(19))
    assert {each.id for each in post.posted} == {id}
    assert here.shown(id).state == "sent"


def test_what_the_other_side_names_is_kept_to(office: Open) -> None:
    post = Post("mail", Later("slow down", 1800))
    here = office(post)
    here.owe()
    here.carry()
    here.clock.advance(1799.9)
    here.carry()
    assert len(post.posted) == 1
    here.clock.advance(181)
    here.carry()
    assert len(post.posted) == 2


@pytest.mark.parametrize("answer", [Later("busy"), Later("closed", 9 * HOUR), OSError("no route")])
def test_what_nobody_took_in_time_is_over_and_says_what_was_answered(
    office: Open, answer: Any
) -> None:
    post = Post("mail", *[answer] * 100)
    here = office(post)
    id = here.owe(seconds=HOUR)
    for _ in range(HOUR // 60 + 1):
        here.carry()
        here.clock.advance(60)
    tried = len(post.posted)
    assert tried < 20
    shown = here.shown(id)
    assert (shown.state, shown.next_attempt_at) == ("expired", None)
    assert shown.last_answer in {"busy", "closed", "OSError: no route"}
    here.clock.advance(24 * HOUR)
    here.carry()
    assert len(post.posted) == tried


def test_what_a_sender_raises_is_tried_again_and_told_once_without_the_payload(
    office: Open, caplog: pytest.LogCaptureFixture
) -> None:
    post = Post("mail", *[ValueError(SECRET)] * 3, KeyError(SECRET), Sent(), ValueError(SECRET))
    here = office(post)
    with caplog.at_level(logging.DEBUG):
        for _ in range(2):
            id = here.owe()
            while here.shown(id).state == "waiting":
                here.carry()
                here.clock.advance(20)
    assert here.states() == ["sent", "sent"]
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert [text.partition(";")[0] for text in told] == [
        "the sender of mail raised ValueError",
        "the sender of mail raised KeyError",
        "the sender of mail raised ValueError",
    ]
    assert "test_carrying.py" in told[0]
    assert SECRET not in caplog.text
    assert caplog.text.count("Traceback") == 0


def test_what_was_raised_is_kept_for_operators(office: Open) -> None:
    here = office(Post("mail", ConnectionResetError("peer\x00 went\n" + "x" * 900 + "\ud800")))
    id = here.owe()
    here.carry()
    answer = here.shown(id).last_answer or ""
    assert answer.startswith("ConnectionResetError: peer  went xxx")
    assert len(answer) == 500


class Stop(BaseException):
    """What gevent raises for a timeout, or to end a greenlet, is no ``Exception``."""


def test_an_attempt_that_is_cut_off_is_made_again_when_its_lease_ends(office: Open) -> None:
    post = Post("mail", Stop())
    here = office(post)
    id = here.owe()
    with pytest.raises(Stop):
        here.carry()
    here.pass_time(9.9)
    here.end()
    assert len(post.posted) == 1
    here.pass_time(0.1)
    here.end()
    assert len(post.posted) == 2
    assert here.shown(id).state == "sent"


@pytest.mark.parametrize("answer", [None, True, "sent", Sent])
def test_a_sender_that_does_not_say_what_became_of_it_posts_no_second_time(
    office: Open, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    post = Post("mail", answer)
    here = office(post)
    id = here.owe()
    here.carry()
    here.pass_time(HOUR)
    here.end()
    assert len(post.posted) == 1
    assert here.shown(id).state == "failed"
    assert f"Post.post returned {type(answer).__name__}" in caplog.text


def test_a_sender_that_hangs_holds_up_nobody_but_its_own_kind(office: Open) -> None:
    hung, quick = Post("hung"), Post("quick")
    here = office(hung, quick)
    for _ in range(ROOM + 5):
        here.owe("hung")
    here.courier.carry()
    hanging = list(here.runtime.jobs)
    here.runtime.jobs.clear()
    assert len(hanging) == ROOM
    for _ in range(20):
        here.owe("quick")
    for _ in range(3):
        here.carry()
    assert len(quick.posted) == 20
    assert hung.posted == []


def test_an_attempt_that_goes_on_keeps_its_delivery_until_that_is_over(
    office: Open, caplog: pytest.LogCaptureFixture
) -> None:
    slow, other = office(Post()), office(second := Post())
    id = slow.owe(seconds=600)
    slow.courier.carry()
    for _ in range(115):
        slow.pass_time(5)
        slow.flush()
        other.carry()
    assert second.posted == []
    assert caplog.text.count("the sender of mail has not answered for 60 seconds") == 1
    assert len(slow.runtime.jobs) == 1
    for _ in range(8):
        slow.pass_time(5)
        slow.flush()
        other.carry()
    assert (slow.shown(id).state, second.posted) == ("expired", [])
    slow.end()
    assert slow.shown(id).state == "sent"


def test_what_a_dead_process_held_is_posted_by_another_with_the_same_id(office: Open) -> None:
    dead, other = office(Post()), office(post := Post())
    id = dead.owe()
    dead.courier.carry()
    other.pass_time(9.9)
    assert not other.runtime.jobs
    other.pass_time(0.1)
    other.end()
    assert [(each.id, each.attempts) for each in post.posted] == [(id, 1)]
    assert other.shown(id).state == "sent"


def test_no_more_than_its_room_is_taken_and_whoever_comes_back_fetches_more(office: Open) -> None:
    post = Post()
    here = office(post)
    for _ in range(ROOM * 2):
        here.owe()
    hurried: list[int] = []
    here.courier.hurry = lambda: hurried.append(1)  # type: ignore[method-assign]
    here.courier.carry()
    assert len(here.runtime.jobs) == ROOM
    here.courier.carry()
    assert len(here.runtime.jobs) == ROOM
    here.runtime.run_job()
    assert hurried == [1]
    here.courier.carry()
    assert len(here.runtime.jobs) == ROOM
    here.end()
    assert len(hurried) == 1 + ROOM
    hurried.clear()
    here.carry()
    assert (hurried, len(post.posted)) == ([], ROOM * 2)


def test_a_kind_without_a_sender_waits_and_is_told_once(
    office: Open, caplog: pytest.LogCaptureFixture
) -> None:
    here = office(post := Post())
    waiting, known = here.owe("pigeon", seconds=HOUR), here.owe()
    for _ in range(3):
        here.carry()
        here.pass_time(120)
    assert caplog.text.count("deliveries of kind 'pigeon' wait") == 1
    assert here.shown(waiting).state == "waiting"
    assert [each.id for each in post.posted] == [known]
    with_pigeons = office(pigeon := Post("pigeon"))
    with_pigeons.carry()
    assert len(pigeon.posted) == 1


def test_a_kind_nobody_ever_carries_is_over_in_time(office: Open) -> None:
    here = office()
    id = here.owe("pigeon", seconds=HOUR)
    here.carry()
    here.clock.advance(HOUR)
    here.carry()
    assert here.shown(id).state == "expired"


def test_a_lot_that_is_over_holds_up_nobody(office: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toastkit.publishing.courier.BATCH", 10)
    here = office(post := Post())
    for _ in range(35):
        here.owe(seconds=1)
    here.clock.advance(1)
    fresh = here.owe()
    here.carry()
    assert [each.id for each in post.posted] == [fresh]
    assert here.storage.deliveries.waiting() == {}


def test_an_attempt_that_cannot_begin_gives_its_place_back(office: Open) -> None:
    here = office(post := Post())
    here.owe()

    def spawn(_job: Any) -> None:
        raise RuntimeError("can't start new thread")

    here.runtime.spawn = spawn  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        here.courier.carry()
    del here.runtime.spawn
    here.pass_time(10)
    here.end()
    assert len(post.posted) == 1


def test_what_was_not_begun_when_it_was_abandoned_is_left_to_others(office: Open) -> None:
    here = office(post := Post())
    id = here.owe()
    here.courier.carry()
    here.courier.abandon()
    here.end()
    assert post.posted == []
    assert here.shown(id).state == "waiting"


def test_a_courier_whose_kit_is_gone_carries_nothing(office: Open) -> None:
    here = office(post := Post())
    here.owe()
    here.senders = None
    here.carry()
    assert post.posted == []


@pytest.mark.parametrize(
    "named",
    [
        *(None, 0, -1, float("nan"), float("inf"), "soon", object()),
        pytest.param(10**400, id="more than a float"),
    ],
)
def test_what_names_no_time_is_a_pause_that_doubles(named: Any) -> None:
    pauses = [pause_seconds(attempts, named, 1.0) for attempts in (0, 1, 8, 9, 1000)]
    assert pauses == [2, 4, 512, 600, 600]
    assert pause_seconds(5, named, 0.0) == 0


@pytest.mark.parametrize(("named", "least", "most"), [(30, 30, 33), ("30", 30, 33), (1, 1, 3)])
def test_a_named_time_is_kept_to_and_little_more(named: Any, least: float, most: float) -> None:
    assert pause_seconds(0, named, 0.0) == least
    assert pause_seconds(99, named, 1.0) == most


def test_while_more_is_due_than_there_is_room_for_nobody_waits_for_one_more(office: Open) -> None:
    here = office(Post())
    assert here.courier.prompt("mail")
    for _ in range(ROOM + 1):
        here.owe()
    here.carry()
    assert not here.courier.prompt("mail"), "what waits longer goes first"
    here.carry()
    assert here.states() == ["sent"] * (ROOM + 1)
    assert here.courier.prompt("mail")
