"""The two apps that are compared: how each is started, entered, and told to publish."""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from toastkit import Config, Kit
from toastkit.identity import TicketRequest

from .server import Server

PAD = "x" * 84


@dataclass(frozen=True)
class Contender:
    """One app; ``greeting`` is what a client has read when its handshake is complete."""

    name: str
    app: str
    greeting: bytes
    publish_path: str
    options: tuple[str, ...] = ()


TOASTKIT = Contender(
    "toastkit",
    "tests.bench.apps.toastkit_app:app",
    b'"connection_ack"',
    "/v1/toasts/publish",
    ("--config", "tests/bench/apps/toastkit.conf.py"),
)
FLASK_SOCK = Contender("flask-sock", "tests.bench.apps.flask_sock_app:app", b"\r\n\r\n", "/publish")
CONTENDERS = (TOASTKIT, FLASK_SOCK)


def user(number: int) -> str:
    return f"user_{number:05d}"


def broadcast_body(number: int) -> bytes:
    """Return a control that is about 200 bytes long on the wire."""
    params = {"n": f"bench-{number:08d}", "pad": PAD}
    return json.dumps({"kind": "bench.tick", "params": params}).encode()


def publish_body(user_id: str, number: int) -> bytes:
    """Return a publish with a dedupe key, as the documents have it."""
    toast = {
        "title": "Research complete",
        "body": "AI expense tracker for freelancers",
        "style": "success",
        "data": {"n": f"bench-{number:08d}"},
    }
    return json.dumps(
        {
            "user_id": user_id,
            "topic": f"user:{user_id}:builds",
            "toast": toast,
            "dedupe_key": f"build-{number}",
        }
    ).encode()


class Seed:
    """A database with a ticket for every user, to start each round from.

    The clock never sees a ticket being minted, only being redeemed.
    """

    def __init__(self, folder: Path, users: int) -> None:
        self._folder = folder
        self._users = [user(number) for number in range(users)]
        self._tokens: list[str] = []

    def plant(self) -> None:
        """Mint the tickets, in the storage that the server will read."""
        config = Config(database_url=_url(self._folder), ticket_seconds=86_400)
        with Kit(config) as kit, ThreadPoolExecutor(32) as pool:

            def mint(user_id: str) -> str:
                topics = (f"user:{user_id}", f"user:{user_id}:builds")
                return kit.tickets.mint(TicketRequest(user_id, f"device-{user_id}", topics))[0]

            self._tokens = list(pool.map(mint, self._users))

    def doors(self, contender: Contender) -> Iterator[tuple[str, str]]:
        """Return each user with the path that lets them in."""
        if contender is FLASK_SOCK:
            return ((user_id, f"/realtime?user={user_id}") for user_id in self._users)
        pairs = zip(self._users, self._tokens, strict=True)
        return ((user_id, f"/api/v1/realtime?token={token}") for user_id, token in pairs)

    @contextmanager
    def server(self, contender: Contender) -> Iterator[Server]:
        """Run a contender's server on a copy of the database."""
        with TemporaryDirectory(prefix="bench-") as name:
            copy = Path(name)
            shutil.copytree(self._folder, copy, dirs_exist_ok=True)
            environ = {
                "TOASTKIT_DATABASE_URL": _url(copy),
                "TOASTKIT_PUBLISH_SECRET": "bench",
                "TOASTKIT_RATE_LIMITS": "0",
            }
            with Server(contender.app, environ, contender.options) as server:
                yield server


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'toastkit.db'}"
