from __future__ import annotations

import pytest

from toastkit import Config, ids
from toastkit.errors import InvalidToken, SessionRevoked, TokenExpired
from toastkit.identity import Sessions

ANONYMOUS = "anon:0b9d4c1e-7d5f-4a2b-9c3d-1e2f3a4b5c6d"


def test_B1_token_begins_ms_sess_and_carries_256_bits(sessions):
    token, _ = sessions.mint("ada")
    assert token.startswith("ms_sess_")
    assert len(token.removeprefix("ms_sess_")) == 43


def test_only_the_hash_of_a_token_is_kept(sessions, session_table):
    token, session = sessions.mint("ada")
    assert list(session_table) == [ids.token_hash(token)] == [session.token_hash]
    assert token not in repr(session_table)


def test_every_token_is_new(sessions):
    assert len({sessions.mint("ada")[0] for _ in range(100)}) == 100


def test_B2_a_live_token_finds_its_user(sessions):
    token, _ = sessions.mint("ada")
    assert sessions.find(token).user_id == "ada"


@pytest.mark.parametrize(("user_id", "kind"), [("ada", "user"), (ANONYMOUS, "anonymous")])
def test_a_session_knows_its_kind(sessions, user_id, kind):
    assert sessions.mint(user_id)[1].kind == kind


def test_B4_after_30_minutes_it_is_expired(sessions, clock):
    token, _ = sessions.mint("ada")
    clock.advance(1799.999)
    assert sessions.find(token).user_id == "ada"
    clock.advance(0.001)
    with pytest.raises(TokenExpired, match=r"^Token expired$"):
        sessions.find(token)


@pytest.mark.parametrize("token", ["", "ms_sess_", "ms_sess_nobody", "eyJ", "ms_sess_\udcff"])
def test_an_unknown_token_is_invalid(sessions, token):
    with pytest.raises(InvalidToken, match=r"^Invalid token: unknown session$"):
        sessions.find(token)


def test_B5_a_revoked_token_is_invalid_at_once(sessions):
    token, _ = sessions.mint("ada")
    sessions.revoke(token)
    with pytest.raises(InvalidToken, match="revoked"):
        sessions.find(token)


def test_a_revoked_token_never_looks_expired(sessions, clock):
    token, _ = sessions.mint("ada")
    sessions.revoke(token)
    clock.advance(10_000)
    with pytest.raises(InvalidToken):
        sessions.find(token)


def test_the_second_revocation_is_refused(sessions):
    token, _ = sessions.mint("ada")
    sessions.revoke(token)
    with pytest.raises(InvalidToken):
        sessions.revoke(token)


def test_of_two_racing_revocations_one_wins(sessions, session_table, clock):
    token, _ = sessions.mint("ada")
    assert sessions.find(token).user_id == "ada"  # and is believed for a moment
    elsewhere = Sessions(session_table, Config(), clock)
    elsewhere.revoke(token)
    with pytest.raises(InvalidToken, match="revoked"):
        sessions.revoke(token)


def test_a_jwt_cannot_be_revoked(sessions):
    with pytest.raises(InvalidToken, match=r"^Invalid token: not a session token$"):
        sessions.revoke("eyJhbGciOiJSUzI1NiJ9.e30.x")


def test_B5_who_is_still_served_is_looked_at_by_hash(sessions, clock):
    _, session = sessions.mint("ada")
    sessions.ensure_not_revoked(session.token_hash)
    clock.advance(1801)
    sessions.ensure_not_revoked(session.token_hash)  # it was good when the request came
    with pytest.raises(SessionRevoked):
        sessions.ensure_not_revoked("unknown")


def test_B5_who_is_still_served_when_it_is_revoked_is_told_so(sessions):
    token, session = sessions.mint("ada")
    sessions.find(token)
    sessions.revoke(token)
    with pytest.raises(SessionRevoked):
        sessions.ensure_not_revoked(session.token_hash)
