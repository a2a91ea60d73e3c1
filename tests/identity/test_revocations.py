from __future__ import annotations

import pytest

from toastkit.config import Config
from toastkit.errors import Invalid, SessionRevoked, StorageUnavailable
from toastkit.identity import Sessions
from toastkit.identity.revocations import LOOK_BACK_MS


@pytest.fixture
def dismissed():
    return []


@pytest.fixture
def here(session_table, clock, dismissed):
    return Sessions(session_table, Config(), clock, lambda *whom: dismissed.append(whom))


@pytest.fixture
def elsewhere(session_table, clock):
    """Be another process on the same database."""
    return Sessions(session_table, Config(), clock)


def test_B5_who_is_connected_by_a_revoked_session_is_dismissed(here, dismissed):
    token, session = here.mint("ada")
    here.revoke(token)
    assert dismissed == [("ada", session.token_hash)]


def test_B5_whoever_is_dismissed_can_no_longer_be_found(session_table, clock):
    found = []

    def look(user_id, token_hash):
        with pytest.raises(SessionRevoked):
            here.ensure_not_revoked(token_hash)
        found.append(user_id)

    here = Sessions(session_table, Config(), clock, look)
    token, _ = here.mint("ada")
    here.find(token)
    here.revoke(token)
    assert found == ["ada"]


def test_B5_another_processes_revocation_counts_after_a_look(here, elsewhere, dismissed):
    token, session = here.mint("ada")
    here.find(token)
    elsewhere.revoke(token)
    assert here.find(token) == session  # within a second
    here.revocations.look()
    assert dismissed == [("ada", session.token_hash)]
    with pytest.raises(SessionRevoked):
        here.find(token)


def test_B5_another_processes_revocation_counts_without_a_look_when_it_is_read_again(
    here, elsewhere, clock
):
    token, _ = here.mint("ada")
    here.find(token)
    elsewhere.revoke(token)
    clock.advance(1)
    with pytest.raises(SessionRevoked):
        here.find(token)


def test_who_was_admitted_between_two_looks_is_dismissed_by_the_second(here, elsewhere, dismissed):
    token, _ = here.mint("ada")
    elsewhere.revoke(token)
    here.revocations.look()
    here.revocations.look()
    assert len(dismissed) == 2


def test_what_was_revoked_long_ago_is_not_looked_for_again(here, elsewhere, dismissed, clock):
    token, _ = here.mint("ada")
    elsewhere.revoke(token)
    here.revocations.look()
    clock.advance(LOOK_BACK_MS / 1000 + 0.001)
    here.revocations.look()  # goes back from the look before
    dismissed.clear()
    here.revocations.look()
    assert dismissed == []


def test_what_was_revoked_while_storage_was_away_is_found(
    here, elsewhere, dismissed, clock, session_table, monkeypatch
):
    def fail(at):
        raise StorageUnavailable("away")

    here.revocations.look()
    token, _ = here.mint("ada")
    elsewhere.revoke(token)
    with monkeypatch.context() as patch:
        patch.setattr(session_table, "revoked_since", fail, raising=False)
        for _ in range(60):
            clock.advance(1)
            with pytest.raises(StorageUnavailable):
                here.revocations.look()
    here.revocations.look()
    assert len(dismissed) == 1


def test_all_sessions_of_a_user_end_and_nobody_elses(here, dismissed):
    adas = [here.mint("ada")[0] for _ in range(3)]
    bobs, _ = here.mint("bob")
    for token in (*adas, bobs):
        here.find(token)
    here.revoke(adas[0])
    dismissed.clear()
    assert here.revoke_all("ada") == 2
    assert here.revoke_all("ada") == 0
    assert {user_id for user_id, _ in dismissed} == {"ada"}
    for token in adas:
        with pytest.raises(SessionRevoked):
            here.find(token)
    assert here.find(bobs).user_id == "bob"


@pytest.mark.parametrize("user_id", ["", None, "a:b", "anon"])
def test_sessions_of_nobody_are_not_revoked(here, user_id):
    with pytest.raises(Invalid):
        here.revoke_all(user_id)


def test_sessions_that_a_transaction_revoked_are_ended_when_it_says_so(here, dismissed):
    token, session = here.mint("ada")
    here.find(token)
    here.ended("ada", [session.token_hash])
    assert dismissed == [("ada", session.token_hash)]
    with pytest.raises(SessionRevoked):
        here.find(token)


def test_A26_other_workers_are_told_of_what_this_one_revoked(session_table, clock):
    told = []
    sessions = Sessions(
        session_table, Config(), clock, spread=lambda user_id, some: told.append((user_id, [*some]))
    )
    token, session = sessions.mint("ada")
    sessions.revoke(token)
    assert told == [("ada", [session.token_hash])]
    assert sessions.revoke_all("ada") == 0
    assert len(told) == 1, "nothing has ended, so nobody is told"


def test_rows_that_were_deleted_are_believed_no_longer(here, session_table):
    token, session = here.mint("ada")
    here.find(token)
    session_table.clear()
    here.doubt()
    with pytest.raises(SessionRevoked):
        here.ensure_not_revoked(session.token_hash)
