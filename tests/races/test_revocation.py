"""A session ends in one process while another serves it: two kits on one database, real threads."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.fakes import Client, FakeFraming, FakeTransport
from toastkit import Config, Kit
from toastkit.dialects import ToastsDialect
from toastkit.errors import InvalidToken, SessionRevoked
from toastkit.identity import TicketRequest

DIALECT = ToastsDialect(FakeFraming())
FAREWELL = "CLOSE 4001 token revoked"
NEVER = 3_600_000
"""A kit that looks that seldom looks when the test does."""


@pytest.fixture
def make_kit(url):
    kits = []

    def make(**settings):
        kits.append(Kit(Config(database_url=url, **settings)))
        return kits[-1]

    yield make
    for kit in kits:
        kit.close()


def sign_in(kit, user_id="ada"):
    """Return a fresh session's token and a ticket that came from it."""
    token, session = kit.sessions.mint(user_id)
    wanted = TicketRequest(user_id, "phone", (f"user:{user_id}",), session.token_hash)
    return token, kit.identity.tickets.mint(wanted)[0]


def admit(kit, ticket):
    """Be let in, or not."""
    connection = kit.node.admit(ticket, DIALECT)
    client = Client(connection, FakeTransport(connection))
    client.transport.finish = client.transport.give_back
    kit.node.runtime.ask(lambda: connection.open(client.transport))
    return client


def connect(kit, ticket):
    return admit(kit, kit.identity.tickets.redeem(ticket))


def ended(client):
    return client.said()[-1] == FAREWELL


def within(seconds, condition):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_B5_sockets_of_a_session_that_ends_here_end_at_once_and_no_others(make_kit):
    web = make_kit(sweep_ms=NEVER)
    token, ticket = sign_in(web)
    hers = [connect(web, ticket) for _ in range(3)]
    others = [connect(web, sign_in(web)[1]), connect(web, sign_in(web, "bob")[1])]
    web.sessions.revoke(token)
    web.node.runtime.ask(lambda: None)
    assert all(ended(each) for each in hers)
    assert not any(ended(each) for each in others)


def test_B5_sockets_of_a_session_that_ends_elsewhere_end_within_a_second(make_kit):
    web, other = make_kit(), make_kit()
    token, ticket = sign_in(web)
    hers = connect(web, ticket)
    bobs = connect(web, sign_in(web, "bob")[1])
    assert web.sessions.find(token).user_id == "ada"
    other.sessions.revoke(token)
    assert within(3, lambda: ended(hers))
    with pytest.raises(SessionRevoked):
        web.sessions.find(token)
    with pytest.raises(SessionRevoked):
        web.identity.tickets.redeem(ticket)
    assert not ended(bobs)


def test_B5_every_socket_of_a_user_whose_sessions_all_end(make_kit):
    web, other = make_kit(sweep_ms=50), make_kit()
    clients = [connect(web, sign_in(web)[1]) for _ in range(5)]
    bobs = connect(web, sign_in(web, "bob")[1])
    assert other.sessions.revoke_all("ada") == 5
    assert within(5, lambda: all(ended(each) for each in clients))
    assert not ended(bobs)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_B5_who_is_let_in_while_the_session_ends_does_not_stay(make_kit, elsewhere):
    """Redeemed before, admitted after: neither the ticket nor the dismissal knows."""
    web, other = make_kit(sweep_ms=NEVER), make_kit()
    token, ticket = sign_in(web)
    redeemed = web.identity.tickets.redeem(ticket)
    (other if elsewhere else web).sessions.revoke(token)
    web.sessions.revocations.look()
    late = admit(web, redeemed)
    assert not ended(late)
    web.sessions.revocations.look()
    web.node.runtime.ask(lambda: None)
    assert ended(late)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_B5_of_many_who_connect_while_their_sessions_end_nobody_stays(make_kit, elsewhere):
    web, other = make_kit(sweep_ms=50), make_kit()
    signed_in = [sign_in(web, f"user{number}") for number in range(40)]
    clients, together = [], threading.Barrier(2)

    def come(ticket):
        together.wait()
        try:
            clients.append(connect(web, ticket))
        except SessionRevoked:
            clients.append(None)

    def leave(token):
        together.wait()
        (other if elsewhere else web).sessions.revoke(token)

    with ThreadPoolExecutor(2) as pool:
        for token, ticket in signed_in:
            list(pool.map(lambda job: job(), [lambda t=ticket: come(t), lambda t=token: leave(t)]))
    assert len(clients) == 40
    assert within(5, lambda: all(each is None or ended(each) for each in clients))


def test_a_user_who_is_forgotten_is_signed_out_at_once(make_kit):
    web = make_kit(sweep_ms=NEVER)
    token, ticket = sign_in(web)
    bobs, _ = sign_in(web, "bob")
    client = connect(web, ticket)
    assert web.sessions.find(token).user_id == "ada"
    assert web.data.forget("ada")["toastkit_sessions"] == 1
    assert ended(client)
    for ask, what in ((web.sessions.find, token), (web.identity.tickets.redeem, ticket)):
        with pytest.raises(InvalidToken, match="unknown"):
            ask(what)
    assert web.sessions.find(bobs).user_id == "bob"


def test_a_kit_whose_sweeper_is_busy_ends_sockets_all_the_same(make_kit, monkeypatch):
    web, other = make_kit(), make_kit()
    busy = threading.Event()
    monkeypatch.setattr(web._publisher, "relay", lambda: busy.wait(30) and 0)
    token, ticket = sign_in(web)
    client = connect(web, ticket)
    other.sessions.revoke(token)
    assert within(3, lambda: ended(client))
    busy.set()
