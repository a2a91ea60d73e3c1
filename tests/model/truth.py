"""What must be true after every step, and what the steps are made of."""

from dataclasses import dataclass
from itertools import count

import pytest
from hypothesis.stateful import RuleBasedStateMachine
from sqlalchemy.orm import Session

from tests.model.model import ENDED, Model, hears
from tests.model.service import WINDOW_MS, Phones, Service, since
from toastkit.deliveries import Gone, Refusal, Sent
from toastkit.records import Position
from toastkit.testing import ManualClock

USERS = ("ada", "bob")


@dataclass
class Wish:
    """One toast somebody wants published."""

    user: str
    topic: str
    title: str
    key: str | None
    collapse: str | None
    ttl: int | None
    made: int = 0

    def given(self):
        return {
            "topic": self.topic,
            "dedupe_key": self.key,
            "collapse_key": self.collapse,
            "ttl_ms": self.ttl,
        }


def topic_of(user, tail):
    return tail if tail == "news" else f"user:{user}{tail}"


class Truth(RuleBasedStateMachine):
    """Compare everything with the model after each step."""

    databases = None  # makes empty ones, by URL, and throws them away

    def __init__(self):
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.clock = ManualClock()
        self.phones = Phones(self.clock)
        self.service = Service(self.patch, self.clock, self.databases.fresh(), self.phones)
        self.phones.service = self.service
        self.taken = {}  # the crashes before a push was taken, by toast, position and device
        self.model = Model(WINDOW_MS)
        self.numbers = count(1)
        self.steps = 0
        self.wishes = []  # published, but not seen in the inbox yet: a crash, or the outbox

    # What rules are made of

    def wish(self, user, tail, key, collapse, ttl, title=None):
        title = title or f"t{next(self.numbers)}"
        return Wish(user, topic_of(user, tail), title, key, collapse, ttl, self.clock.now())

    def here(self):
        return [client for client in self.service.clients if client.here]

    def act(self, job, kit=None):
        """Do something in a process; ``None`` when that crashed."""
        self.steps += 1
        return self.service.do(job, kit)

    def act_on(self, client, job):
        self.steps += 1
        job(client)
        self.check()

    def transact(self, kit, pairs, commit):
        """Publish in a transaction of the host's; ``undone`` is rolled back to a SAVEPOINT."""
        with Session(self.service.host) as session:
            for wish, fate in pairs:
                savepoint = session.begin_nested() if fate != "plain" else None
                kit.publish_toast(wish.user, wish.title, db=session, **wish.given())
                if savepoint:
                    savepoint.rollback() if fate == "undone" else savepoint.commit()
            session.commit() if commit else session.rollback()

    def audience(self, wish):
        """Return how many clients in front hear a topic, and how many of the user there are."""
        front = [client for client in self.here() if client.user == wish.user and client.foreground]
        return sum(hears(client.topics, wish.topic) for client in front), len(front)

    def reachable(self, user):
        """Return how many phones a user has that a push could go to."""
        return len(
            self.service.scalars(
                f"SELECT 1 FROM toastkit_devices WHERE push_token IS NOT NULL AND user_id = '{user}'"
            )
        )

    def fallback(self, phones):
        """Return what receipts may say of a toast whose user is away and has so many phones."""
        answer = {
            "takes": ("delivered", None),
            "is busy": ("queued", None),
            "is away": ("queued", None),
        }.get(self.phones.mood, ("undelivered", "provider_error"))
        if not phones:
            return [("undelivered", "no_device")]
        return [answer, ("queued", None)] if self.phones.doubted else [answer]

    def settle(self, wish, receipt, foreseen):
        """Take a receipt into the model; tell whether something was stored."""
        duplicate, id = foreseen
        if duplicate:
            assert (receipt.status, receipt.id) == ("duplicate", id), (receipt, wish)
            return False
        assert receipt.status != "duplicate", (receipt, wish)
        assert id is None or receipt.id == id, f"{receipt} should have taken the place of {id}"
        self.model.accept(receipt.id, wish, self.clock.now(), self.steps)
        return True

    def greet(self, client, topics, recover):
        """Connect a client, and check what it is replayed."""
        self.steps += 1
        model, now = self.model, self.clock.now()
        wanted = since(client, recover == "id") if recover else None
        expected, known = [], recover == "position"
        if recover == "id":
            row = model.rows.get(client.last_id)
            known = row is not None and not row.again
            expected = model.missed(client.user, row.seq, topics, now) if row else []
        elif recover:
            expected = model.missed(client.user, client.position.seq, topics, now)
        client.inbox.clear()
        self.service.connect(client, topics, wanted)
        if self.service.crashed:
            client.connection = None
        got = list(client.inbox)
        if got and recover:
            greeting = got[0].frame
            replayed = [each.frame["toast"]["id"] for each in got[1:] if each.frame.get("replayed")]
            if greeting["recovered"]:
                assert known, "nothing is known of where it left off"
                assert replayed == [row.id for row in expected][: len(replayed)]
                assert greeting["replayed"] == len(expected)
                assert self.service.crashed or len(replayed) == len(expected)
            else:
                assert len(expected) > 6 or not known, greeting
                assert replayed == []
        recovered = bool(got and got[0].frame.get("recovered"))
        for topic in topics if client.here else ():
            if not (recovered and topic in client.whole):
                client.whole[topic] = self.steps
        self.check()

    # What must be true

    def listen(self):
        """Read what clients were told: theirs, heard, in order, in time, as it was published."""
        self.learn(states=False)
        for client in self.service.clients:
            news, client.inbox[:] = list(client.inbox), []
            for got in news:
                self.take(client, got)
        rung, self.phones.posted = self.phones.posted, []
        for each in rung:
            self.ring(each)
        self.learn()

    def ring(self, posted):
        """Check one push: to its user's phone, in time, wanted, and once."""
        delivery = posted.delivery
        row = self.model.rows[delivery.toast_id]
        assert delivery.user_id == delivery.device.user_id == row.user, f"{posted} of {row}"
        assert posted.at < delivery.expires_at, f"{posted} came too late"
        if row.seq != delivery.seq:
            return  # a retry has taken its place since
        assert delivery.payload["toast"]["title"] == row.title
        assert not row.quiet, f"a phone rang for {row}"
        row.refused = row.refused or isinstance(posted.answer, Refusal | Gone)
        if isinstance(posted.answer, Sent):
            key = (delivery.toast_id, delivery.seq, delivery.target)
            assert self.taken.get(key, -1) < posted.crashes, f"{posted} was sent twice"
            self.taken[key] = posted.crashes
            row.pushed = True

    def take(self, client, got):
        frame = got.frame
        if frame["type"] in ("connection_ack", "subscribe_ack"):
            client.topics = tuple(frame.get("all_topics", frame["topics"]))
            client.start = frame.get("seq", self.model.seqs[client.user])
            if frame["type"] == "connection_ack":
                client.position = Position(frame["seq"], frame["epoch"])
            return
        if frame["type"] == "error" and frame["code"] == "unrecoverable_position":
            # More came from elsewhere than is told at once: what is undecided of it is told late.
            client.start = self.model.seqs[client.user]
        if frame["type"] == "unsubscribe_ack":
            client.topics = tuple(each for each in client.topics if each not in frame["topics"])
        if frame["type"] != "toast":
            return
        toast, seq = frame["toast"], frame["seq"]
        row = self.model.rows[toast["id"]]
        assert row.user == client.user, f"{client} was told {row}"
        assert toast["title"] == row.title
        assert hears(got.topics, row.topic), f"{client} does not hear {row}"
        assert row.seq == seq
        now_or_never = row.expires == row.created and not frame.get("replayed")
        assert now_or_never or not row.late(got.at), f"{client} was told {row} too late"
        # What nobody had decided when the client came, or came to hear it, is told late.
        if not frame.get("replayed") and seq > client.start:
            assert seq > client.live, f"{client} was told {row} after position {client.live}"
            client.live = seq
        client.shown.setdefault(row.id, row.title)
        client.last_id = row.id
        client.position = Position(max(seq, client.position.seq), frame["epoch"])
        row.told = row.told or got.foreground

    def learn(self, states=True):
        """Compare the rows with the model: nothing partial, nothing lost, nothing by itself."""
        rows = self.service.rows()
        for row in rows:
            known = self.model.rows.get(row["id"])
            if known is None or known.title != row["title"]:
                self.accept_late(row)
        assert {row["id"] for row in rows} == set(self.model.rows), "a toast is lost"
        for row in rows:
            known = self.model.rows[row["id"]]
            for name in ("seq", "topic", "title"):
                assert row[name] == getattr(known, name), f"{known} has {name} {row[name]}"
            assert row["user_id"] == known.user
        if states:
            for row in sorted(rows, key=lambda row: -row["seq"]):
                self.model.follow(row["id"], row["state"], self.clock.now(), self.service.crashed)

    def accept_late(self, row):
        """Take a toast that nobody got a receipt of: after a crash, or from the outbox."""
        wanted = [each for each in self.wishes if each.title == row["title"]]
        wish = next((each for each in wanted if each.user == row["user_id"]), None)
        assert wish, f"nobody published {row}"
        self.wishes.remove(wish)
        self.model.accept(row["id"], wish, self.clock.now(), self.steps)

    def relearn(self):
        """Look what a process did before it crashed."""
        for row in self.service.rows():
            known = self.model.rows[row["id"]]
            known.read = row["read_at"] is not None
            known.found = known.found or known.read or row["seen_at"] is not None
            known.deleted = row["deleted_at"] is not None

    def check(self):
        self.listen()
        for row in self.model.rows.values():
            row.quiet = row.quiet or row.noted or row.found or row.deleted
        model, now, kit = self.model, self.clock.now(), self.service.serving
        assert not self.service.world.errors, self.service.world.errors
        for user in USERS:
            page = self.service.world.do(kit.process, lambda user=user: kit.toasts.list(user, 200))
            expected = model.listed(user, now)
            assert [each.id for each in page.items] == [row.id for row in expected]
            assert page.unread_count == sum(not row.read for row in expected)
            seqs = self.service.scalars(
                f"SELECT seq FROM toastkit_principals WHERE user_id = '{user}'"
            )
            assert seqs == ([model.seqs[user]] if model.seqs[user] else [])

    def teardown(self):
        try:
            self.heal()
        finally:
            self.service.close()
            self.databases.drop(self.service.url)
            self.patch.undo()

    def heal(self):
        """Let enough time pass: everything is decided, and nobody misses anything."""
        self.service.armed = None
        self.phones.mood = "takes"
        for _ in range(12):
            self.service.pass_time(1)
            self.check()
        waiting = self.service.scalars("SELECT id FROM toastkit_outbox")
        assert waiting == [], "the outbox was forgotten"
        for row in self.model.rows.values():
            assert row.state in ENDED, f"{row} was never decided"
            acked = row.state in ("acked", "expired", "superseded") or row.pushed
            assert acked or not row.noted, f"the ack of {row} was lost"
        for client in self.here():
            for row in self.model.of(client.user):
                topics = [t for t, step in client.whole.items() if step < row.step]
                if hears(topics, row.topic) and self.model.alive(row, self.clock.now()):
                    assert row.id in client.shown or row.read, f"{client} was never told {row}"
