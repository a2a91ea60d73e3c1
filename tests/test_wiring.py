"""What one worker does to a user the others do, too: two kits on one database and one Redis."""

from collections.abc import Callable, Iterator

import pytest

from tests.backplane.redis.workers import until
from tests.fakes import Client, FakeFraming, FakeTransport
from tests.redis import RedisServer
from toastkit import Config, Kit
from toastkit.dialects import ToastsDialect
from toastkit.errors import InvalidToken, SessionRevoked
from toastkit.identity import TicketRequest

DIALECT = ToastsDialect(FakeFraming())
FAREWELL = "CLOSE 4001 token revoked"
NEVER = 3_600_000
"""So seldom a kit looks for itself: what it does sooner it was told."""


@pytest.fixture
def make_kit(url: str, redis_server: RedisServer, redis_prefix: str) -> Iterator[Callable[[], Kit]]:
    kits: list[Kit] = []

    def make() -> Kit:
        settings = {"redis_url": redis_server.url, "redis_prefix": redis_prefix}
        kits.append(Kit(Config(database_url=url, sweep_ms=NEVER, **settings)))
        return kits[-1]

    yield make
    for kit in kits:
        kit.close()


@pytest.fixture
def here(make_kit: Callable[[], Kit]) -> Kit:
    return make_kit()


@pytest.fixture
def there(make_kit: Callable[[], Kit]) -> Kit:
    kit = make_kit()
    kit.node.serve()
    until(lambda: kit._ground.backplane._broker._listener.heard)
    return kit


def connect(kit: Kit, user_id: str, session: str | None = None) -> Client:
    """Connect a user's client to a kit, by a session or by the host's own login."""
    wanted = TicketRequest(user_id, "phone", (f"user:{user_id}",), session)
    ticket, _ = kit.identity.tickets.mint(wanted)
    connection = kit.node.admit(kit.identity.tickets.redeem(ticket), DIALECT)
    client = Client(connection, FakeTransport(connection))
    client.transport.finish = client.transport.give_back  # type: ignore[method-assign]
    kit.node.runtime.ask(lambda: connection.open(client.transport))
    return client


def ended(client: Client) -> bool:
    return client.said()[-1] == FAREWELL


def test_B5_sockets_of_a_session_end_at_every_worker_and_no_others(here: Kit, there: Kit) -> None:
    (token, session), (_, other) = here.sessions.mint("ada"), here.sessions.mint("ada")
    there.sessions.find(token)
    hers, others = (connect(there, "ada", each.token_hash) for each in (session, other))
    here.sessions.revoke(token)
    until(lambda: ended(hers))
    with pytest.raises(SessionRevoked):
        there.sessions.find(token)
    assert not ended(others)


def test_who_is_forgotten_is_disconnected_and_unknown_at_every_worker(
    here: Kit, there: Kit
) -> None:
    token, _ = here.sessions.mint("ada")
    there.sessions.find(token)
    ada, bob = connect(there, "ada"), connect(there, "bob")
    here.data.forget("ada")
    until(lambda: ended(ada))
    with pytest.raises(InvalidToken):
        there.sessions.find(token)
    assert not ended(bob)


def test_who_is_forgotten_by_a_command_that_ends_at_once_is_disconnected_too(
    here: Kit, there: Kit
) -> None:
    ada = connect(there, "ada")
    with here:
        here.data.forget("ada")
    until(lambda: ended(ada))


def test_B12_who_became_a_user_is_disconnected_at_every_worker(here: Kit, there: Kit) -> None:
    _, session, _ = here.identity.anonymous.begin("phone-of-ada")
    anonymous = connect(there, session.user_id)
    here.identity.anonymous.rebind("ada", "phone-of-ada")
    until(lambda: ended(anonymous))
