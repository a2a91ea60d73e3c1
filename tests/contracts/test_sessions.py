"""What a storage does with sessions, and with tickets that came from them, on every database."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import pytest
from sqlalchemy import Engine, text

from toastkit import ids
from toastkit.config import Config
from toastkit.errors import SessionRevoked
from toastkit.identity import Sessions, TicketRequest, Tickets
from toastkit.records import Session
from toastkit.runtime import runtime_for
from toastkit.storage import Storage
from toastkit.testing import ManualClock


def session(name: str, user_id: str = "ada", **given: Any) -> Session:
    times = {"created_at": 1, "expires_at": 100, **given}
    return Session(token_hash=ids.token_hash(name), user_id=user_id, kind="user", **times)


def add(storage: Storage, *sessions: Session) -> list[str]:
    for each in sessions:
        storage.sessions.add(each)
    return [each.token_hash for each in sessions]


def test_B5_all_live_sessions_of_a_user_end_and_their_hashes_are_told(storage: Storage) -> None:
    first, second, *others = add(
        storage,
        session("first"),
        session("second"),
        session("another's", "bob"),
        session("over", expires_at=50),
        session("revoked"),
    )
    storage.sessions.revoke(others[2], "ada", 7)
    assert set(storage.sessions.revoke_all("ada", 50)) == {first, second}
    assert storage.sessions.revoke_all("ada", 51) == []
    ended = [storage.sessions.find(each) for each in (first, second, *others)]
    assert [each and each.revoked_at for each in ended] == [50, 50, None, None, 7]


def test_B5_what_was_revoked_since_a_time_is_told(storage: Storage) -> None:
    early, late, later, _ = add(
        storage, session("early"), session("late"), session("later", "bob"), session("live")
    )
    for token_hash, user_id, at in ((early, "ada", 6), (late, "ada", 7), (later, "bob", 8)):
        storage.sessions.revoke(token_hash, user_id, at)
    found = {each.token_hash: each for each in storage.sessions.revoked_since(7)}
    assert set(found) == {late, later}
    assert (found[later].user_id, found[later].revoked_at) == ("bob", 8)


def test_what_was_revoked_is_found_by_an_index(storage: Storage, host: Engine) -> None:
    add(storage, session("any"))
    asked = "SELECT * FROM toastkit_sessions WHERE revoked_at >= 7"
    with host.begin() as connection:
        if host.dialect.name == "postgresql":  # which reads a table of few rows as a whole
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            plan = connection.execute(text(f"EXPLAIN {asked}"))
        else:
            plan = connection.execute(text(f"EXPLAIN QUERY PLAN {asked}"))
        assert "toastkit_sessions_revoked" in str(plan.all())


@pytest.fixture
def tickets(storage: Storage, clock: ManualClock) -> Tickets:
    return Tickets(storage.tickets, Config(), clock)


def test_B5_a_ticket_says_whether_its_session_was_revoked(
    storage: Storage, tickets: Tickets
) -> None:
    (token_hash,) = add(storage, session("hers"))
    request = TicketRequest("ada", "phone", ("user:ada",), token_hash)
    token, ticket = tickets.mint(request)
    assert tickets.redeem(token).session_hash == token_hash
    storage.sessions.revoke(token_hash, "ada", 7)
    with pytest.raises(SessionRevoked):
        tickets.redeem(token)
    found = storage.tickets.find(ticket.token_hash)
    assert found is not None
    assert found.revoked is True


@pytest.mark.parametrize("session_hash", [None, ids.token_hash("kept no longer")])
def test_a_ticket_without_a_session_stays_good(tickets: Tickets, session_hash: str | None) -> None:
    token, _ = tickets.mint(TicketRequest("ada", "phone", ("user:ada",), session_hash))
    assert tickets.redeem(token).revoked is False


def test_B5_many_who_end_all_sessions_at_once_end_each_once(both: Any, storage: Storage) -> None:
    hashes = add(storage, *(session(f"s{number}") for number in range(40)))
    storage.close()
    answers = both(lambda each: each.sessions.revoke_all("ada", 7))
    assert sorted(itertools.chain(*answers)) == sorted(hashes)


def test_B5_one_by_one_and_all_at_once_wait_for_nobody_in_a_circle(
    both: Any, storage: Storage
) -> None:
    names = [f"s{number}" for number in range(20)]
    hashes = add(storage, *(session(name) for name in names))
    storage.close()
    ended: list[str] = []

    def end(here: Storage) -> None:
        def one(token_hash: str) -> None:
            if here.sessions.revoke(token_hash, "ada", 7):
                ended.append(token_hash)

        threads = [threading.Thread(target=one, args=(each,)) for each in hashes]
        threads.append(
            threading.Thread(target=lambda: ended.extend(here.sessions.revoke_all("ada", 7)))
        )
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    both(end)
    assert sorted(ended) == sorted(hashes)


def test_B5_found_here_while_it_is_revoked_elsewhere_it_is_gone_in_time(
    url: str, storage: Storage, clock: ManualClock
) -> None:
    """Two processes on one database: here readers never stop, there sessions end."""
    here = Sessions(storage.sessions, Config(), clock)
    other = Storage(url, runtime_for("auto"), clock)
    elsewhere = Sessions(other.sessions, Config(), clock)
    done = threading.Event()
    breathe = runtime_for("auto").breathe
    looked: set[str] = set()
    wrong: list[str] = []
    tokens = [here.mint("ada")[0] for _ in range(8)]

    def find() -> None:
        while not done.is_set():
            breathe()
            for token in tokens:
                gone = token in looked
                try:
                    here.find(token)
                except SessionRevoked:
                    continue
                if gone:
                    wrong.append(token)

    readers = [threading.Thread(target=find) for _ in range(2)]
    for reader in readers:
        reader.start()
    for token in tokens:
        elsewhere.revoke(token)
        clock.advance(0.1)
        here.revocations.look()
        looked.add(token)
    done.set()
    for reader in readers:
        reader.join()
    other.close()
    assert wrong == []
