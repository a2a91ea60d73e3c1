"""The apps that are compared: how each is started, entered, and told to publish."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from toastkit import Config, Kit
from toastkit.identity import TicketRequest

from .bodies import user
from .client import Speech, said
from .databases import Database
from .server import SERVER_CORES, Server


@dataclass(frozen=True)
class Contender:
    """One app; ``door`` is the path that lets a user in, ``lacks`` what it has nothing like."""

    name: str
    app: str
    packages: tuple[str, ...]
    door: str
    speech: Speech
    publish_path: str = "/publish"
    lacks: frozenset[str] = frozenset({"inside", "session"})
    options: tuple[str, ...] = ()

    def serve(
        self, url: str, settings: Mapping[str, str], cores: set[int] = SERVER_CORES
    ) -> Server:
        """Return a server on a database, with settings in its environment."""
        environ = {
            "TOASTKIT_DATABASE_URL": url,
            "TOASTKIT_PUBLISH_SECRET": "bench",
            "TOASTKIT_RATE_LIMITS": "0",
            **settings,
        }
        return Server(self.app, environ, self.options, cores)


TOASTKIT = Contender(
    "toastkit",
    "tests.bench.apps.toastkit_app:app",
    ("sqlalchemy",),
    "/api/v1/realtime?token={token}",
    Speech(b'"connection_ack"'),
    "/v1/toasts/publish",
    lacks=frozenset(),
    options=("--config", "tests/bench/apps/toastkit.conf.py"),
)
FLASK_SOCK = Contender(
    "flask-sock",
    "tests.bench.apps.flask_sock_app:app",
    ("flask-sock", "simple-websocket"),
    "/realtime?user={user}",
    Speech(b"\r\n\r\n"),
)
FLASK_SOCKETIO = Contender(
    "flask-socketio",
    "tests.bench.apps.flask_socketio_app:app",
    ("flask-socketio", "python-socketio", "simple-websocket"),
    "/socket.io/?EIO=4&transport=websocket&user={user}",
    # Engine.IO's ping and pong, and Socket.IO's connect, are messages of one or two digits.
    Speech(b'40{"sid"', hello=said(b"40"), ping=b"\x81\x012", pong=said(b"3")),
    lacks=frozenset({"inside", "session", "push"}),
)
PEERS = {peer.name: peer for peer in (FLASK_SOCK, FLASK_SOCKETIO)}


class Seed:
    """A database with a ticket for every user, to start each round from.

    The clock never sees a ticket being minted, only being redeemed.
    """

    def __init__(self, database: Database, users: int) -> None:
        self._database = database
        self._users = [user(number) for number in range(users)]
        self._tokens: list[str] = []

    def plant(self) -> None:
        """Mint the tickets, in the storage that the server will read."""
        config = Config(database_url=self._database.url, ticket_seconds=86_400)
        with Kit(config) as kit, ThreadPoolExecutor(32) as pool:

            def mint(user_id: str) -> str:
                topics = (f"user:{user_id}", f"user:{user_id}:builds")
                return kit.identity.tickets.mint(
                    TicketRequest(user_id, f"device-{user_id}", topics)
                )[0]

            self._tokens = list(pool.map(mint, self._users))

    def doors(self, contender: Contender) -> Iterator[tuple[str, str]]:
        """Return each user with the path that lets them in."""
        for user_id, token in zip(self._users, self._tokens, strict=True):
            yield user_id, contender.door.format(user=user_id, token=token)

    def copy(self) -> AbstractContextManager[str]:
        """Make a copy of the database that lasts as long as the ``with`` block; its URL."""
        return self._database.copy()

    @contextmanager
    def server(self, contender: Contender, settings: Mapping[str, str]) -> Iterator[Server]:
        """Run a contender's server on a copy of the database, with settings in its environment."""
        with self.copy() as url, contender.serve(url, settings) as server:
            yield server
