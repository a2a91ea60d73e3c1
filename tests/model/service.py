"""One process that serves, one that only publishes, and clients that come and go."""

import atexit
import json
import sqlite3
import threading
from dataclasses import dataclass, field

from sqlalchemy import create_engine, event, text
from sqlalchemy.pool import NullPool, Pool

import toastkit.ground
from tests.failpoints import install
from tests.fakes import FakeFraming, FakeTransport, frames
from tests.model.sim import Crash, World, simulate
from toastkit import Config, Kit
from toastkit.deliveries import Gone, Later, Refusal, Sent
from toastkit.dialects import ToastsDialect
from toastkit.identity.tickets import TicketRequest
from toastkit.kit import open_kits
from toastkit.live.connection import FOREGROUND
from toastkit.live.node import Arriving
from toastkit.records import Position, Since
from toastkit.storage.writer import OWED_SECONDS

WINDOW_MS = 8000
SETTINGS = {
    "dedupe_ms": WINDOW_MS,
    "replay_most": 6,
    "lease_ms": 3000,
    "sweep_ms": 1000,
    "reconnect_ms": 500,
    "ticket_seconds": 1_000_000,
    "message_rate": 1000,
    "message_burst": 1000,
}


@dataclass
class Got:
    """One frame as it arrived: when, and what the client was at that moment."""

    frame: dict
    at: int
    foreground: bool
    topics: tuple
    link: int


class Socket(FakeTransport):
    """Note every frame at the moment it is written."""

    def __init__(self, connection, client, clock):
        super().__init__(connection)
        self.client, self.clock = client, clock

    def write(self, data):
        if self.takes == 0:
            return 0
        for payload in frames(bytes(data)):
            if payload.startswith(b"{"):
                connection = self.connection
                self.client.inbox.append(
                    Got(
                        json.loads(payload),
                        self.clock.now(),
                        bool(connection.flags & FOREGROUND),
                        connection.topics,
                        id(connection),
                    )
                )
        return len(data)


@dataclass
class Posted:
    """One push as it arrived: what it was, when, after how many crashes, and what was answered."""

    delivery: object
    at: int
    crashes: int
    answer: object


MOODS = {
    "takes": Sent("200"),
    "is busy": Later("busy", 1),
    "refuses": Refusal("400"),
    "is gone": Gone("410"),
    "is away": Later("nobody answers", away=True),
}


class Phones:
    """Be the push service: answer according to its mood."""

    kind = "apns"

    def __init__(self, clock):
        self.clock, self.mood, self.doubted, self.posted = clock, "takes", False, []
        self.service = None

    def post(self, delivery):
        answer = MOODS[self.mood]
        self.doubted = self.mood == "is away"  # whether the courier may think that it is
        self.posted.append(Posted(delivery, self.clock.now(), self.service.crashes, answer))
        return answer


@dataclass
class Client:
    """One page of a user: it keeps ids and its position over all its connections."""

    user: str
    name: int
    topics: tuple = ()
    foreground: bool = True
    connection: object = None
    inbox: list = field(default_factory=list)
    shown: dict = field(default_factory=dict)
    position: Position | None = None
    last_id: str | None = None
    whole: dict = field(default_factory=dict)  # topic: the step from which it misses nothing
    live: int = 0  # how far live toasts have come on this connection
    start: int = 0

    @property
    def here(self):
        return self.connection is not None


class Service:
    """Drive a world of kits on one database; the one that serves has these senders."""

    def __init__(self, monkeypatch, clock, url, *senders):
        self.clock, self.url, self.patch, self.senders = clock, url, monkeypatch, senders
        self.world = World(clock)
        self._undo = simulate(monkeypatch, self.world)
        event.listen(Pool, "checkout", hurry)
        self.armed, self.hits, self.marked = None, 0, 0.0
        self.thread = threading.get_ident()  # every process of the model is a greenlet in it
        self.slow = 0.0  # how long the next commit takes
        install(self.hit, monkeypatch.setattr)
        self.clients, self.kits = [], []
        self.serving = self.elsewhere = None
        self.host = host_engine(url)
        self.looking = self.host.connect()
        self.crashed, self.crashes = False, 0
        self.start()

    def arm(self, point, hits):
        """Let the serving process crash at a point, the ``hits``-th time it is there."""
        self.armed, self.hits = point, hits

    def hit(self, point):
        if threading.get_ident() != self.thread:
            return  # a kit that another test left behind still looks for what is due
        if point == "before mark":
            self.marked = self.clock.monotonic()
        if point == "after commit" and self.slow:
            self.clock.advance(self.slow)
            self.slow = 0.0
        if point == self.armed and self.world.here() is self.serving.process:
            self.hits -= 1
            if self.hits <= 0:
                self.armed = None
                raise Crash

    def start(self):
        if self.elsewhere is None:
            self.elsewhere = self._kit()
        self.serving = self._kit(*self.senders)
        self.world.do(self.serving.process, self.serving.node.serve)

    def _kit(self, *senders):
        process = self.world.process()
        self.patch.setattr(toastkit.ground, "runtime_for", lambda _name: process)
        kit = Kit(Config(database_url=self.url, **SETTINGS), clock=self.clock, senders=senders)
        open_kits.discard(kit)  # nobody closes what may have crashed
        kit.process = process
        self.kits.append(kit)
        return kit

    def do(self, job, kit=None):
        """Run a job in a process; ``None`` when that crashed. What is owed is written then."""
        kit = kit or self.serving
        self.crashed = False
        try:
            result = self.world.do(kit.process, job)
        except Crash:
            result = None
        self.pass_time(0)
        return result

    def pass_time(self, seconds):
        """Let time pass, and a little more until all that was found out is written, too."""
        self.world.pass_time(seconds)
        while self.clock.monotonic() < self.marked + OWED_SECONDS:
            self.world.pass_time(OWED_SECONDS)
        for client in self.clients:
            if client.here:
                client.connection.heard()  # it answers pings
        if self.serving.process.dead:
            self.crashed = True
            self.crashes += 1
            self.armed = None
            for client in self.clients:
                client.connection = None
            self.start()

    def crash(self):
        self.serving.process.die()
        self.pass_time(0)

    def rows(self):
        """Return every toast's row, past all of our own code."""
        found = self.looking.execute(text("SELECT * FROM toastkit_toasts ORDER BY seq"))
        rows = [dict(row) for row in found.mappings()]
        self.looking.rollback()
        return rows

    def scalars(self, statement):
        found = self.looking.execute(text(statement)).scalars().all()
        self.looking.rollback()
        return found

    # Clients

    def connect(self, client, topics, since=None):
        kit = self.serving
        wanted = TicketRequest(client.user, f"device{client.name}", topics)

        def connect():
            token, _ = kit.identity.tickets.mint(wanted)
            ticket = kit.identity.tickets.redeem(token)
            arriving = Arriving(background=not client.foreground, since=since)
            connection = kit.node.admit(ticket, ToastsDialect(FakeFraming()), arriving)
            connection.open(Socket(connection, client, self.clock))
            client.connection = connection

        client.live = 0
        self.do(connect)

    def say(self, client, **message):
        connection = client.connection
        payload = json.dumps(message).encode()
        self.do(lambda: connection.receive(payload))

    def drop(self, client):
        connection, client.connection = client.connection, None
        self.do(connection.lost)

    def close(self):
        self.looking.close()
        for kit in self.kits:
            atexit.unregister(kit.close)
        self.world.end()
        self._undo()
        event.remove(Pool, "checkout", hurry)


def hurry(connection, _record, _proxy):
    """Wait for no disk: here processes crash, not machines."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


def host_engine(url):
    """Return an engine whose SAVEPOINTs are real: pysqlite begins no transaction before one."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def leave_alone(connection, _record):
            connection.isolation_level = None

        @event.listens_for(engine, "begin")
        def begin(connection):
            connection.exec_driver_sql("BEGIN")

    return engine


def since(client, by_id):
    if by_id:
        return Since(toast_id=client.last_id)
    return Since(position=client.position)
