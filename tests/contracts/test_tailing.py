"""What a database says of toasts as they come: those of a time, of a user, on a topic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from toastkit import ids
from toastkit.records import TailQuery
from toastkit.storage import Storage, tailing
from toastkit.testing import ManualClock

pytestmark = pytest.mark.plain

EVERYBODY = TailQuery()


@pytest.fixture
def made(storage: Storage, event: Any, clock: ManualClock) -> Callable[..., str]:
    """Store a toast that was made some seconds ago."""

    def made(ago: int = 0, user_id: str = "ada", **given: Any) -> str:
        id = ids.toast_id(clock.now() - ago * 1000)
        storage.inbox.accept([event(user_id, id=id, **given)], due_ms=2000)
        return id

    return made


def test_traces_are_of_toasts_made_since_then(
    storage: Storage, made: Any, mark: Any, clock: ManualClock
) -> None:
    made(61)
    young = made(59)
    mark(young, "written", session_count=2)
    (trace,) = storage.inbox.traces(EVERYBODY, clock.now() - 60_000)
    assert (trace.id, trace.user_id, trace.state, trace.session_count) == (
        young,
        "ada",
        "written",
        2,
    )
    assert trace.delivered_at == clock.now()


def test_of_one_user_the_newest_are_traced_whenever_they_were_made(
    storage: Storage, made: Any, clock: ManualClock, monkeypatch: Any
) -> None:
    monkeypatch.setattr(tailing, "MOST", 2)
    found = [made(3600), made(0), made(7200)]
    made(0, "bob")
    traces = storage.inbox.traces(TailQuery(user_id="ada"), clock.now())
    assert [trace.id for trace in traces] == found[:0:-1]


def test_the_newest_come_oldest_first(storage: Storage, made: Any, clock: ManualClock) -> None:
    old, older, new = made(60), made(120), made(0)
    newest = storage.inbox.newest
    assert [facts.id for facts in newest(EVERYBODY, None, 2)] == [old, new]
    assert [facts.id for facts in newest(EVERYBODY, clock.now() - 90_000, 9)] == [old, new]
    # Of one user in the order of their positions.
    assert [facts.id for facts in newest(TailQuery(user_id="ada"), None, 2)] == [older, new]


def test_only_what_is_asked_for_is_found(storage: Storage, made: Any, clock: ManualClock) -> None:
    wanted = made(0, "ada", topic="orders")
    made(0, "ada")
    made(0, "bob", topic="orders")
    query = TailQuery(user_id="ada", topic="orders")
    assert [trace.id for trace in storage.inbox.traces(query, 0)] == [wanted]
    assert [facts.id for facts in storage.inbox.newest(query, None, 9)] == [wanted]
    assert len(storage.inbox.traces(TailQuery(topic="orders"), clock.now())) == 2


def test_what_is_known_is_read_in_parts(storage: Storage, made: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(tailing, "MOST", 2)
    found = [made(0, title=str(number)) for number in range(5)]
    known = storage.inbox.known([*found, ids.toast_id(0)])
    assert [(facts.id, facts.title) for facts in known] == [
        (id, str(number)) for number, id in enumerate(found)
    ]
    assert storage.inbox.known([]) == []
