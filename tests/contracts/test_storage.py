"""What every database keeps; the same promises, whichever it is."""

from __future__ import annotations

import itertools
import sqlite3
import threading
from collections.abc import Callable
from typing import Any, get_args

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from toastkit.clock import SystemClock
from toastkit.errors import Invalid
from toastkit.records import PageQuery, Position, Session, State, StoredToast, Ticket
from toastkit.runtime import runtime_for
from toastkit.storage import Storage, accepting
from toastkit.storage.marking import FROM
from toastkit.testing import ManualClock

ALLOWED = {
    ("accepted", "written"),
    ("accepted", "owed"),
    ("accepted", "undelivered"),
    ("accepted", "expired"),
    ("accepted", "superseded"),
    ("accepted", "acked"),
    ("written", "acked"),
    ("undelivered", "acked"),
    ("owed", "acked"),
    ("owed", "sent"),
    ("owed", "failed"),
    ("owed", "expired"),
    ("owed", "superseded"),
    ("undelivered", "written"),
    ("written", "owed"),
    ("failed", "written"),
    ("failed", "acked"),
    ("failed", "sent"),
    ("undelivered", "sent"),
    ("expired", "sent"),
    ("superseded", "sent"),
}
STATES = get_args(State)
ENDED = {"undelivered": ["undelivered"], "failed": ["owed", "failed"], "expired": ["expired"]}


def page(storage: Storage, **asked: Any) -> list[StoredToast]:
    return storage.inbox.page(PageQuery(user_id="ada", **asked)).items


def titles(page: list[StoredToast]) -> list[str]:
    return [toast.title for toast in page]


def test_positions_count_up_for_each_principal(storage: Storage, event: Any) -> None:
    storage.inbox.accept([event("ada")], due_ms=2000)
    accepted = storage.inbox.accept([event("bob"), event("ada"), event("bob")], due_ms=2000)
    assert [toast.seq for toast in accepted] == [1, 2, 2]
    assert accepted[0].epoch == accepted[2].epoch != accepted[1].epoch


def test_many_toasts_are_answered_in_their_order(storage: Storage, event: Any) -> None:
    events = [event() for _ in range(200)]
    accepted = storage.inbox.accept(events, due_ms=2000)
    assert [toast.id for toast in accepted] == [event.id for event in events]
    assert [toast.seq for toast in accepted] == list(range(1, 201))


def test_an_accepted_toast_is_due_until_it_is_decided(
    storage: Storage, event: Any, mark: Any, row: Any
) -> None:
    toast = event()
    storage.inbox.accept([toast], due_ms=2000)
    assert row(toast.id)["due_at"] == toast.created_at + 2000
    mark(toast.id, "undelivered")
    assert row(toast.id)["due_at"] is None


def test_everything_a_toast_shows_comes_back(storage: Storage, event: Any) -> None:
    content = {
        "body": 'ab\u2028"\\ 😀',
        "style": "success",
        "priority": "high",
        "deeplink": "/orders/1",
        "data": {"a": [1, 2.5, None, {"ü": "\x7f"}]},
    }
    storage.inbox.accept([event(title="Größe", content=content)], due_ms=2000)
    [toast] = page(storage)
    assert {name: getattr(toast, name) for name in content} == content
    assert toast.title == "Größe"


def test_what_became_of_a_toast_is_told_while_nothing_can_be_written(
    url: str, storage: Storage, event: Any, host: Engine
) -> None:
    [toast] = storage.inbox.accept([event()], due_ms=2000)
    asking = Storage(url, runtime_for("auto"), SystemClock(), wait_ms=100)
    with host.connect() as holds:
        if holds.dialect.name == "sqlite":
            holds.exec_driver_sql("BEGIN IMMEDIATE")
        found = asking.inbox.facts(toast.id)
        assert found is not None
        assert (found.state, found.seq) == ("accepted", 1)
        holds.rollback()
    asking.close()


def test_an_event_of_nobody_is_refused(storage: Storage, event: Any) -> None:
    with pytest.raises(Invalid, match="user_id required"):
        storage.inbox.accept([event(), event(user_id=None)], due_ms=2000)
    assert page(storage) == []


@pytest.mark.parametrize("title", ["\ud800", "\0"])
def test_text_no_database_takes_is_refused_before_it_joins_a_group(
    storage: Storage, event: Any, title: str
) -> None:
    with pytest.raises(Invalid):
        storage.inbox.accept([event(), event(title=title)], due_ms=2000)
    assert page(storage) == []


def test_A28_a_repeat_inside_the_window_names_the_first(
    storage: Storage, event: Any, clock: ManualClock
) -> None:
    [first] = storage.inbox.accept([event(dedupe_key="k")], due_ms=2000)
    clock.advance(299.9)
    [repeat] = storage.inbox.accept([event(dedupe_key="k")], due_ms=2000)
    assert repeat.duplicate
    assert (repeat.id, repeat.seq, repeat.epoch) == (first.id, first.seq, first.epoch)
    assert len(page(storage)) == 1


def test_A28_a_repeat_in_the_same_call_names_its_elder(storage: Storage, event: Any) -> None:
    events = [event(dedupe_key="k"), event(dedupe_key="j"), event(dedupe_key="k")]
    accepted = storage.inbox.accept(events, due_ms=2000)
    assert [toast.duplicate for toast in accepted] == [False, False, True]
    assert accepted[2].id == events[0].id


def test_A28_a_dedupe_key_is_one_users_own(storage: Storage, event: Any) -> None:
    events = [event("ada", dedupe_key="k"), event("bob", dedupe_key="k")]
    assert not any(toast.duplicate for toast in storage.inbox.accept(events, due_ms=2000))


def test_A28_after_the_window_a_key_is_free(
    storage: Storage, event: Any, clock: ManualClock
) -> None:
    [first] = storage.inbox.accept([event(dedupe_key="k")], due_ms=2000)
    clock.advance(300)
    [second] = storage.inbox.accept([event(dedupe_key="k")], due_ms=2000)
    assert not second.duplicate
    assert second.id != first.id


def test_A28_an_ack_takes_the_key_back(storage: Storage, event: Any, mark: Any) -> None:
    [first] = storage.inbox.accept([event(dedupe_key="k")], due_ms=2000)
    mark(first.id, "undelivered")
    mark(first.id, "acked")
    assert storage.inbox.accept([event(dedupe_key="k")], due_ms=2000)[0].duplicate


@pytest.mark.parametrize("ended", ENDED)
def test_A28_a_retry_takes_the_place_of_a_toast_that_reached_nobody(
    storage: Storage, event: Any, mark: Any, ended: str
) -> None:
    [first] = storage.inbox.accept([event(title="old", dedupe_key="k")], due_ms=2000)
    mark(first.id, *ENDED[ended])
    [retry] = storage.inbox.accept([event(title="new", dedupe_key="k")], due_ms=2000)
    assert (retry.id, retry.seq, retry.duplicate) == (first.id, first.seq + 1, False)
    assert titles(page(storage)) == ["new"]


def test_A28_what_became_of_a_toast_says_nothing_of_the_retry_in_its_place(
    storage: Storage, event: Any, mark: Any, row: Any
) -> None:
    [first] = storage.inbox.accept([event(dedupe_key="k")], due_ms=2000)
    mark(first.id, "undelivered", seq=first.seq)
    [retry] = storage.inbox.accept([event(dedupe_key="k")], due_ms=2000)
    mark(first.id, "written", seq=first.seq)  # a replay that another process had not noted yet
    assert row(first.id)["state"] == "accepted"
    mark(first.id, "written", seq=retry.seq)
    assert row(first.id)["state"] == "written"


def test_A28_a_retry_whose_commit_fails_takes_the_place_at_the_next(
    storage: Storage, event: Any, mark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    [first] = storage.inbox.accept([event(title="old", dedupe_key="k")], due_ms=2000)
    mark(first.id, "undelivered")
    attempts, accepting_store = [], accepting._store
    busy = sqlite3.OperationalError("database is locked")
    busy.sqlite_errorcode = sqlite3.SQLITE_BUSY

    def store(connection: Any, rows: Any) -> None:
        attempts.append(rows)
        if len(attempts) == 1:
            raise busy
        accepting_store(connection, rows)

    monkeypatch.setattr(accepting, "_store", store)
    [retry] = storage.inbox.accept([event(title="new", dedupe_key="k")], due_ms=2000)
    assert (retry.id, retry.duplicate, len(attempts)) == (first.id, False, 2)
    assert titles(page(storage)) == ["new"]


def test_A28_of_two_retries_at_once_one_takes_the_place(
    storage: Storage, event: Any, mark: Any
) -> None:
    [first] = storage.inbox.accept([event(dedupe_key="k")], due_ms=2000)
    mark(first.id, "undelivered")
    retries = storage.inbox.accept([event(dedupe_key="k"), event(dedupe_key="k")], due_ms=2000)
    assert [(retry.id, retry.duplicate) for retry in retries] == [
        (first.id, False),
        (first.id, True),
    ]


def test_A28_a_retry_after_the_window_is_a_toast_of_its_own(
    storage: Storage, event: Any, mark: Any, clock: ManualClock
) -> None:
    [first] = storage.inbox.accept([event(title="old", dedupe_key="k")], due_ms=2000)
    mark(first.id, "undelivered")
    clock.advance(300)
    [retry] = storage.inbox.accept([event(title="new", dedupe_key="k")], due_ms=2000)
    assert retry.id != first.id
    assert titles(page(storage)) == ["new", "old"]


@pytest.mark.parametrize("states", [["written"], ["owed"], ["owed", "sent"]])
def test_A28_a_toast_that_did_not_fail_keeps_its_key(
    storage: Storage, event: Any, mark: Any, states: list[str]
) -> None:
    [first] = storage.inbox.accept([event(dedupe_key="k")], due_ms=2000)
    mark(first.id, *states)
    assert storage.inbox.accept([event(dedupe_key="k")], due_ms=2000)[0].duplicate


def test_A28_a_replay_takes_the_key_back(storage: Storage, event: Any, mark: Any) -> None:
    [first] = storage.inbox.accept([event(dedupe_key="k")], due_ms=2000)
    mark(first.id, "undelivered")
    mark(first.id, "written")
    assert storage.inbox.accept([event(dedupe_key="k")], due_ms=2000)[0].duplicate


def test_a_late_failure_does_not_release_what_was_delivered(
    storage: Storage, event: Any, mark: Any
) -> None:
    [first] = storage.inbox.accept([event(dedupe_key="k")], due_ms=2000)
    mark(first.id, "written", "undelivered", "expired")
    assert storage.inbox.accept([event(dedupe_key="k")], due_ms=2000)[0].duplicate


@pytest.fixture
def toast_in(storage: Storage, event: Any, change: Any) -> Callable[[str], str]:
    def store(state: str) -> str:
        [toast] = storage.inbox.accept([event()], due_ms=2000)
        change(state=state)
        return toast.id

    return store


@pytest.mark.parametrize("step", list(itertools.product(STATES, FROM)), ids="-".join)
def test_states_change_only_forward(toast_in: Any, mark: Any, row: Any, step: Any) -> None:
    before, after = step
    id = toast_in(before)
    mark(id, after)
    assert row(id)["state"] == (after if step in ALLOWED else before)


def test_no_toast_becomes_undecided_again(storage: Storage, mark: Any) -> None:
    with pytest.raises(Invalid, match="no toast may become accepted"):
        mark("toast", "accepted")


def test_states_of_one_toast_change_in_their_order(
    storage: Storage, event: Any, mark: Any, row: Any
) -> None:
    toast = event()
    storage.inbox.accept([toast], due_ms=2000)
    mark(toast.id, "written", "acked")
    found = row(toast.id)
    assert (found["state"], found["transport"]) == ("acked", "websocket")
    assert found["delivered_at"] == toast.created_at


def test_an_ack_that_overtakes_the_mark_of_its_delivery_delivers(
    storage: Storage, event: Any, mark: Any, row: Any, clock: ManualClock
) -> None:
    [toast] = storage.inbox.accept([event()], due_ms=2000)
    clock.advance(1)
    mark(toast.id, "acked")
    clock.advance(1)
    mark(toast.id, "written")
    found = row(toast.id)
    assert (found["state"], found["due_at"]) == ("acked", None)
    assert found["delivered_at"] == found["acked_at"] == clock.now() - 1000


def test_an_ack_keeps_when_the_toast_was_delivered(
    storage: Storage, event: Any, mark: Any, row: Any, clock: ManualClock
) -> None:
    [toast] = storage.inbox.accept([event()], due_ms=2000)
    mark(toast.id, "written")
    clock.advance(1)
    mark(toast.id, "acked")
    found = row(toast.id)
    assert found["acked_at"] - found["delivered_at"] == 1000


def test_a_written_toast_may_be_due_for_its_ack(
    storage: Storage, event: Any, mark: Any, row: Any
) -> None:
    [toast] = storage.inbox.accept([event()], due_ms=2000)
    mark(toast.id, "written", due_at=77)
    assert row(toast.id)["due_at"] == 77
    mark(toast.id, "acked")
    assert row(toast.id)["due_at"] is None


def test_why_a_toast_was_not_seen_is_kept(
    storage: Storage, event: Any, mark: Any, row: Any
) -> None:
    [toast] = storage.inbox.accept([event()], due_ms=2000)
    mark(toast.id, "undelivered", reason="not_subscribed", session_count=0, transport="none")
    found = row(toast.id)
    shown = (found["reason"], found["session_count"], found["transport"])
    assert shown == ("not_subscribed", 0, "none")
    mark(toast.id, "written", session_count=2, transport=None)
    found = row(toast.id)
    shown = (found["reason"], found["session_count"], found["transport"])
    assert shown == ("not_subscribed", 2, "none")


def test_nobody_changes_another_users_toast(
    storage: Storage, event: Any, mark: Any, row: Any
) -> None:
    [toast] = storage.inbox.accept([event("ada")], due_ms=2000)
    mark(toast.id, "written", user_id="bob")
    assert row(toast.id)["state"] == "accepted"


def test_A19_a_page_is_the_newest_first_and_no_more_than_asked(
    storage: Storage, event: Any
) -> None:
    storage.inbox.accept([event(title=str(number)) for number in range(5)], due_ms=2000)
    storage.inbox.accept([event("bob")], due_ms=2000)
    assert titles(page(storage, limit=3)) == ["4", "3", "2"]


def test_A30_past_its_time_to_live_a_toast_is_listed_only_if_delivered(
    storage: Storage, event: Any, mark: Any, clock: ManualClock
) -> None:
    until = clock.now() + 1000
    events = [event(title=name, expires_at=until) for name in ("shown", "missed", "undecided")]
    shown, missed, _ = storage.inbox.accept(events, due_ms=2000)
    mark(shown.id, "written")
    mark(missed.id, "undelivered")
    assert titles(page(storage)) == ["undecided", "missed", "shown"]
    clock.advance(1)
    assert titles(page(storage)) == ["shown"]


def test_a_deleted_toast_is_not_listed(storage: Storage, event: Any, change: Any) -> None:
    storage.inbox.accept([event()], due_ms=2000)
    change(deleted_at=1)
    assert page(storage) == []


def test_A29_a_newer_toast_replaces_the_older_when_it_is_delivered(
    storage: Storage, event: Any, mark: Any
) -> None:
    events = [event(title=name, collapse_key="c") for name in ("40 %", "60 %", "done")]
    accepted = storage.inbox.accept([*events, event(title="other")], due_ms=2000)
    mark(accepted[0].id, "written")
    assert titles(page(storage)) == ["other", "done", "60 %", "40 %"]
    mark(accepted[2].id, "written")
    assert titles(page(storage)) == ["other", "done"]
    everything = page(storage, include_collapsed=True)
    assert titles(everything) == ["other", "done", "60 %", "40 %"]


def test_A29_an_older_toast_delivered_late_stays_replaced(
    storage: Storage, event: Any, mark: Any, row: Any
) -> None:
    older, newer = storage.inbox.accept([event(collapse_key="c"), event(collapse_key="c")], 2000)
    mark(newer.id, "written")
    mark(older.id, "written")
    assert row(older.id)["replaced_by"] == newer.id
    assert row(newer.id)["replaced_by"] is None


@pytest.mark.parametrize("states", [[], ["owed"]])
def test_A29_an_undecided_toast_is_decided_by_a_newer_one_that_is_delivered(
    storage: Storage, event: Any, mark: Any, row: Any, states: list[str]
) -> None:
    older, newer = storage.inbox.accept([event(collapse_key="c"), event(collapse_key="c")], 2000)
    mark(older.id, *states)
    mark(newer.id, "acked")
    found = row(older.id)
    assert (found["state"], found["due_at"], found["reason"]) == ("superseded", None, "superseded")
    mark(older.id, "written")
    assert row(older.id)["state"] == "superseded"


def test_A29_a_delivered_toast_stays_delivered_when_it_is_replaced(
    storage: Storage, event: Any, mark: Any, row: Any
) -> None:
    older, newer = storage.inbox.accept([event(collapse_key="c"), event(collapse_key="c")], 2000)
    mark(older.id, "written")
    mark(newer.id, "written")
    assert (row(older.id)["state"], row(older.id)["replaced_by"]) == ("written", newer.id)


def test_A29_a_collapse_key_is_one_users_own(storage: Storage, event: Any, mark: Any) -> None:
    events = [event("ada", collapse_key="c"), event("bob", collapse_key="c")]
    _, bobs = storage.inbox.accept(events, due_ms=2000)
    mark(bobs.id, "written", user_id="bob")
    assert len(page(storage)) == 1


def test_A7_a_ticket_is_found_by_its_hash(storage: Storage) -> None:
    ticket = Ticket(
        token_hash="h",
        user_id="ada",
        device_id="phone",
        topics=("user:ada", "news"),
        session_hash=None,
        expires_at=5,
    )
    storage.tickets.add(ticket)
    assert storage.tickets.find("h") == replace(ticket, position=Position(0, ""))
    assert storage.tickets.find("i") is None


def test_a_ticket_tells_where_its_principals_toasts_stand(storage: Storage, event: Any) -> None:
    ticket = Ticket(
        token_hash="h",
        user_id="ada",
        device_id="phone",
        topics=("user:ada",),
        session_hash=None,
        expires_at=5,
    )
    storage.tickets.add(ticket)
    accepted = storage.inbox.accept([event(), event("bob"), event()], due_ms=2000)
    found = storage.tickets.find("h")
    assert found is not None
    assert found.position == Position(2, accepted[0].epoch)
    assert storage.tickets.position("ada") == found.position


def test_whose_first_toast_is_yet_to_come_stands_at_the_beginning(storage: Storage) -> None:
    assert storage.tickets.position("nobody") == Position(0, "")


def session(token_hash: str = "h") -> Session:
    return Session(token_hash=token_hash, user_id="ada", kind="user", created_at=1, expires_at=2)


def test_B2_a_session_is_found_by_its_hash(storage: Storage) -> None:
    storage.sessions.add(session())
    assert storage.sessions.find("h") == session()
    assert storage.sessions.find("i") is None


def test_B5_of_many_who_revoke_a_session_one_hears_yes(storage: Storage) -> None:
    storage.sessions.add(session())
    heard: list[bool] = []
    threads = [
        threading.Thread(target=lambda: heard.append(storage.sessions.revoke("h", "ada", 7)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(heard) == [False] * 7 + [True]
    found = storage.sessions.find("h")
    assert found is not None
    assert found.revoked_at == 7
