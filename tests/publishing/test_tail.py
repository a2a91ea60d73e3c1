"""What a tail tells: every toast once, however late it comes, and every change of it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from toastkit import ids
from toastkit.errors import StorageUnavailable
from toastkit.publishing.tail import OPEN_MOST, Tail, TailParts
from toastkit.records import Facts, TailQuery, Trace
from toastkit.testing import ManualClock

pytestmark = pytest.mark.plain

NOW = 1_767_225_600_000
MINUTE = 60_000


class FakeInbox:
    """Toasts as a database has them."""

    def __init__(self) -> None:
        self.rows: dict[str, Facts] = {}
        self.failure: Exception | None = None
        self.asked: list[int] = []

    def traces(self, query: TailQuery, since: int) -> list[Trace]:
        self._fail()
        self.asked.append(since)
        first = ids.first_at(since)
        names = Trace.__struct_fields__
        return [
            Trace(*(getattr(row, name) for name in names))
            for row in self.rows.values()
            if row.id >= first
        ]

    def newest(self, query: TailQuery, since: int | None, limit: int) -> list[Facts]:
        rows = sorted(self.rows.values(), key=lambda row: row.id)
        return [row for row in rows if since is None or row.created_at >= since][-limit:]

    def known(self, wanted: Any) -> list[Facts]:
        self._fail()
        return [self.rows[id] for id in wanted if id in self.rows]

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure

    def commit(self, made_at: int, **given: Any) -> str:
        """Commit a toast now that was made then."""
        id = ids.toast_id(made_at)
        row = Facts(
            **{
                "id": id,
                "user_id": "ada",
                "seq": 1,
                "topic": "user:ada",
                "title": "Hi",
                "created_at": made_at,
                "state": "accepted",
                "fallback": True,
                "due_at": made_at + 2000,
                **given,
            }
        )
        self.rows[id] = row
        return id

    def change(self, id: str, **given: Any) -> None:
        self.rows[id] = replace(self.rows[id], **given)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def inbox() -> FakeInbox:
    return FakeInbox()


@pytest.fixture
def tail(inbox: FakeInbox, clock: ManualClock) -> Tail:
    tail = Tail(TailParts(inbox, clock, 0), TailQuery())  # type: ignore[arg-type]
    assert tail.begin(10) == []
    return tail


def words(entries: Any) -> list[str]:
    return [f"{'new ' if each.new else ''}{each.why}" for each in entries]


def test_a_toast_is_told_once_and_so_is_what_becomes_of_it(
    tail: Tail, inbox: Any, clock: Any
) -> None:
    id = inbox.commit(NOW)
    assert words(tail.look()) == ["new queued"]
    assert tail.look() == []
    inbox.change(id, state="written", delivered_at=NOW + 7, session_count=2, due_at=None)
    (entry,) = tail.look()
    assert (entry.why, entry.new, entry.at, entry.session_count) == ("delivered", False, NOW + 7, 2)
    inbox.change(id, state="acked", acked_at=NOW + 9)
    inbox.change(id, read_at=NOW + 11)
    assert [(each.why, each.at) for each in tail.look()] == [("read", NOW + 11)]
    assert tail.look() == []


def test_what_was_there_is_shown_as_far_as_it_is_wanted(inbox, clock) -> None:
    made = [inbox.commit(NOW - number * 1000, title=str(number)) for number in (3, 2, 1)]
    tail = Tail(TailParts(inbox, clock, 0), TailQuery())
    assert [(each.title, each.new) for each in tail.begin(2)] == [("2", True), ("1", True)]
    assert tail.look() == []
    # The one that was not shown is told of when something becomes of it.
    inbox.change(made[0], state="undelivered", reason="no_session", due_at=None)
    assert words(tail.look()) == ["no_session"]


@pytest.mark.parametrize("late", [1, 59, 14 * 60])
def test_a_toast_that_is_committed_long_after_it_was_made_is_told(tail, inbox, clock, late) -> None:
    for _ in range(60):
        clock.advance(15)
        tail.look()
    inbox.commit(clock.now() - late * 1000, state="written", due_at=None)
    told = tail.look()
    for _ in range(2):
        clock.advance(15)
        told += tail.look()
    assert words(told) == ["new delivered"]


def test_most_looks_go_back_a_minute_only(tail: Tail, inbox: Any, clock: Any) -> None:
    back = []
    for _ in range(120):
        clock.advance(0.5)
        tail.look()
        back.append((clock.now() - inbox.asked[-1]) // MINUTE)
    assert back.count(1) == 116
    assert back.count(15) == 4


def test_what_was_committed_while_the_database_was_away_is_told(
    tail: Tail, inbox: Any, clock: Any
) -> None:
    clock.advance(10)
    inbox.failure = StorageUnavailable("away")
    for _ in range(3):
        with pytest.raises(StorageUnavailable):
            tail.look()
        clock.advance(3600)
    inbox.failure = None
    for made_at in (NOW - 40_000, NOW + 11_000):
        inbox.commit(made_at, state="written", due_at=None)
    inbox.asked.clear()
    assert words(tail.look()) == ["new delivered"] * 2


def test_a_clock_that_is_set_back_hides_nothing(tail: Tail, inbox: Any, clock: Any) -> None:
    clock.advance(10)
    tail.look()
    clock.advance(-7200)
    inbox.commit(clock.now(), due_at=clock.now() + 2000)
    assert words(tail.look()) == ["new queued"]


def test_time_alone_may_make_a_difference(tail: Tail, inbox: Any, clock: Any) -> None:
    id = inbox.commit(NOW)
    tail.look()
    clock.advance(3)
    assert words(tail.look()) == ["undecided"]
    # Somebody takes it, and lets it go again: that is no news.
    inbox.change(id, lease_until=NOW + 9000, due_at=NOW + 9000)
    assert tail.look() == []
    clock.advance(9)
    assert tail.look() == []
    inbox.change(id, state="undelivered", reason="no_session", due_at=None)
    assert words(tail.look()) == ["no_session"]


def test_a_push_that_is_taken_hours_later_is_told(tail: Tail, inbox: Any, clock: Any) -> None:
    id = inbox.commit(NOW, state="owed", due_at=None)
    assert words(tail.look()) == ["new owed"]
    for _ in range(100):
        clock.advance(60)
        assert tail.look() == []
    inbox.change(id, state="sent", transport="apns", delivered_at=clock.now())
    assert words(tail.look()) == ["sent"]


def test_a_retry_that_takes_the_place_of_a_toast_is_new(tail: Tail, inbox: Any, clock: Any) -> None:
    id = inbox.commit(NOW, state="undelivered", reason="no_session", due_at=None)
    assert words(tail.look()) == ["new no_session"]
    inbox.change(id, seq=2, title="Again", created_at=NOW + 1)
    assert words(tail.look()) == ["new no_session"]


def test_it_does_not_grow(tail: Tail, inbox: Any, clock: Any) -> None:
    for _ in range(OPEN_MOST + 5):
        inbox.commit(clock.now(), state="owed", due_at=None)
    assert len(tail.look()) == OPEN_MOST + 5
    forgotten = list(inbox.rows)[-1]
    del inbox.rows[forgotten]
    for _ in range(3):
        clock.advance(16 * 60)
        tail.look()
    assert len(tail._seen) == len(tail._open) == OPEN_MOST - 1
    inbox.rows.clear()
    clock.advance(16 * 60)
    tail.look()
    clock.advance(16 * 60)
    tail.look()
    assert (tail._seen, tail._open) == ({}, {})
