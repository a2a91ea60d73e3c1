from __future__ import annotations

import pytest
from msgspec.structs import replace

from toastkit import ids
from toastkit.errors import InvalidToken, SessionRevoked, TokenExpired
from toastkit.identity import TicketRequest
from toastkit.records import Position

REQUEST = TicketRequest("ada", "phone", ("user:ada", "news"), "hash of a session")


def test_A7_a_ticket_is_bound_to_user_and_device(tickets):
    token, _ = tickets.mint(REQUEST)
    ticket = tickets.redeem(token)
    assert (ticket.user_id, ticket.device_id) == ("ada", "phone")
    assert ticket.topics == ("user:ada", "news")
    assert ticket.session_hash == "hash of a session"


def test_only_the_hash_of_a_token_is_kept(tickets, ticket_table):
    token, ticket = tickets.mint(REQUEST)
    assert list(ticket_table) == [ids.token_hash(token)] == [ticket.token_hash]
    assert token not in repr(ticket_table)


def test_a_token_is_url_safe_and_carries_256_bits(tickets):
    token, _ = tickets.mint(REQUEST)
    assert len(token) == 43
    assert token.replace("-", "").replace("_", "").isalnum()


def test_A7_it_lives_15_minutes_and_may_be_redeemed_again_meanwhile(tickets, clock):
    token, ticket = tickets.mint(REQUEST)
    assert ticket.expires_at == clock.now() + 900_000
    clock.advance(899.999)
    assert tickets.redeem(token) == tickets.redeem(token) == ticket
    clock.advance(0.001)
    with pytest.raises(TokenExpired):
        tickets.redeem(token)


def test_B5_a_ticket_of_a_revoked_session_is_not_redeemed(tickets, ticket_table, clock):
    token, ticket = tickets.mint(REQUEST)
    ticket_table[ticket.token_hash] = replace(ticket, revoked=True)
    for _ in range(2):
        with pytest.raises(SessionRevoked):
            tickets.redeem(token)
        clock.advance(1000)  # a revoked one never looks expired


def test_a_granted_ticket_is_kept_nowhere_and_knows_where_the_toasts_stand(tickets, ticket_table):
    ticket = tickets.grant(REQUEST, 5)
    assert (ticket.user_id, ticket.device_id, ticket.topics) == (
        *("ada", "phone"),
        ("user:ada", "news"),
    )
    assert ticket.session_hash == "hash of a session"
    assert ticket.position == Position(3, "epoch")
    assert not ticket_table


@pytest.mark.parametrize("until", [5, 10**15])
def test_B4_a_granted_ticket_ends_with_the_credential_it_was_granted_for(tickets, until):
    assert tickets.grant(REQUEST, until).expires_at == until


def test_a_credential_without_an_end_grants_as_long_as_any_ticket(tickets, clock):
    assert tickets.grant(REQUEST, None).expires_at == clock.now() + 900_000


@pytest.mark.parametrize("token", ["", "nobody", "ä", "\udcff", "x" * 100_000])
def test_an_unknown_token_is_invalid(tickets, token):
    with pytest.raises(InvalidToken):
        tickets.redeem(token)
