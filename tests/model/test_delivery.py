"""Whatever happens in whatever order, crashes included: what is promised of a toast holds."""

import os
from dataclasses import dataclass
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from tests.failpoints import POINTS
from tests.model.model import ENDED, Model, hears
from tests.model.service import WINDOW_MS, Client, Service, since
from toastkit.errors import UnknownToast
from toastkit.records import Position
from toastkit.storage import upgrade
from toastkit.testing import ManualClock

pytestmark = pytest.mark.plain

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "30"))
"""How many histories are tried on each database; the long run tries ten times as many."""
SHRINK = os.environ.get("MODEL_SHRINK") == "1"
"""Whether a history that ends badly is made as short as possible, which takes minutes."""

USERS = ("ada", "bob")
KEYS = st.sampled_from((None, None, "k1", "k2"))
COLLAPSE = st.sampled_from((None, None, "c1"))
TTL = st.sampled_from((None, None, None, 0, 1500, 4000))
SUBTOPICS = st.sampled_from(("", "", ":x", "news"))
PAUSES = st.sampled_from((0.3, 1.0, 2.5, 6.0))


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


class Delivery(RuleBasedStateMachine):
    """Publish, listen, read and crash; after each step everything is compared with the model."""

    databases = None  # makes empty ones, by URL, and throws them away

    def __init__(self):
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.clock = ManualClock()
        self.service = Service(self.patch, self.clock, self.databases.fresh())
        self.model = Model(WINDOW_MS)
        self.numbers = count(1)
        self.steps = 0
        self.wishes = []  # published, but not seen in the inbox yet: a crash, or the outbox

    # Publishing

    @rule(user=st.sampled_from(USERS), tail=SUBTOPICS, key=KEYS, collapse=COLLAPSE, ttl=TTL)
    def publish(self, user, tail, key, collapse, ttl):
        wish = self.wish(user, tail, key, collapse, ttl)
        listening, present = self.audience(wish)
        foreseen = self.model.foresee(user, key, self.clock.now())
        kit = self.service.serving
        receipt = self.act(lambda: kit.publish_toast(user, wish.title, **wish.given()))
        if receipt is None:
            self.wishes.append(wish)
        elif self.settle(wish, receipt, foreseen):
            expected = ("undelivered", "no_session")
            if listening:
                expected = ("delivered", None)
            elif present:
                expected = ("undelivered", "not_subscribed")
            assert (receipt.status, receipt.reason) == expected, (receipt, wish)
            assert receipt.session_count == listening
        self.check()

    @rule(key=KEYS, ttl=TTL)
    def publish_to_all(self, key, ttl):
        title = f"t{next(self.numbers)}"
        wishes = [self.wish(user, "", key, None, ttl, title) for user in USERS]
        foreseen = [self.model.foresee(user, key, self.clock.now()) for user in USERS]
        given = {"dedupe_key": key, "ttl_ms": ttl}
        kit = self.service.serving
        receipts = self.act(lambda: kit.publish_toasts(USERS, title, **given))
        if receipts is None:
            self.wishes += wishes
        else:
            for each in zip(wishes, receipts, foreseen, strict=True):
                self.settle(*each)
        self.check()

    @rule(user=st.sampled_from(USERS), tail=SUBTOPICS, key=KEYS, collapse=COLLAPSE, ttl=TTL)
    def publish_elsewhere(self, user, tail, key, collapse, ttl):
        wish = self.wish(user, tail, key, collapse, ttl)
        foreseen = self.model.foresee(user, key, self.clock.now())
        kit = self.service.elsewhere
        receipt = self.act(lambda: kit.publish_toast(user, wish.title, **wish.given()), kit)
        if self.settle(wish, receipt, foreseen):
            assert (receipt.status, receipt.session_count) == ("queued", 0)
        self.check()

    @rule(
        user=st.sampled_from(USERS),
        key=KEYS,
        fates=st.lists(st.sampled_from(("plain", "kept", "undone")), min_size=1, max_size=3),
        commit=st.booleans(),
        elsewhere=st.booleans(),
    )
    def publish_joined(self, user, key, fates, commit, elsewhere):
        wishes = [
            self.wish(user, "", key if n == 0 else None, None, None) for n in range(len(fates))
        ]
        kit = self.service.elsewhere if elsewhere else self.service.serving
        pairs = list(zip(wishes, fates, strict=True))
        if commit:
            self.wishes += [wish for wish, fate in pairs if fate != "undone"]
        self.act(lambda: self.transact(kit, pairs, commit), kit)
        self.check()

    # Reading

    @rule(
        user=st.sampled_from(USERS),
        what=st.sampled_from(("read", "unread", "seen", "delete")),
        n=st.integers(0, 20),
    )
    @precondition(lambda self: self.model.rows)
    def note(self, user, what, n):
        rows = sorted(self.model.rows.values(), key=lambda row: row.title)
        row = rows[n % len(rows)]
        toasts = self.service.serving.toasts
        known = row.user == user and not row.deleted
        try:
            done = self.act(lambda: getattr(toasts, what)(user, row.id) or True)
        except UnknownToast:
            assert not known, f"{user} has {row}"
            done = False
        else:
            assert known or done is None, f"{user} may not {what} {row}"
        if done:
            row.read = what == "read" or (row.read and what != "unread")
            row.deleted = row.deleted or what == "delete"
        elif done is None:
            self.relearn()
        self.check()

    @rule(user=st.sampled_from(USERS), n=st.none() | st.integers(0, 20))
    def read_all(self, user, n):
        rows = self.model.of(user)
        up_to = rows[n % len(rows)] if rows and n is not None else None
        toasts = self.service.serving.toasts
        last = None if up_to is None else up_to.id
        if self.act(lambda: (toasts.read_all(user, up_to=last), 1)) is None:
            self.relearn()
        else:
            for row in rows:
                row.read = row.read or up_to is None or row.seq <= up_to.seq
        self.check()

    # Clients

    @rule(user=st.sampled_from(USERS), foreground=st.booleans(), tail=SUBTOPICS)
    @precondition(lambda self: len(self.service.clients) < 4)
    def connect(self, user, foreground, tail):
        client = Client(user, len(self.service.clients), foreground=foreground)
        self.service.clients.append(client)
        self.greet(client, (topic_of(user, tail),), None)

    @rule(n=st.integers(0, 3), recover=st.sampled_from(("", "position", "id")))
    @precondition(lambda self: any(not each.here for each in self.service.clients))
    def come_back(self, n, recover):
        away = [each for each in self.service.clients if not each.here]
        client = away[n % len(away)]
        known = client.last_id if recover == "id" else client.position
        topics = client.topics or (f"user:{client.user}",)
        self.greet(client, topics, recover if recover and known else None)

    @rule(n=st.integers(0, 3))
    @precondition(lambda self: self.here())
    def drop(self, n):
        self.act_on(self.here()[n % len(self.here())], self.service.drop)

    @rule(n=st.integers(0, 3), tail=SUBTOPICS, recover=st.booleans())
    @precondition(lambda self: self.here())
    def subscribe(self, n, tail, recover):
        client = self.here()[n % len(self.here())]
        message = {"type": "subscribe", "topics": [topic_of(client.user, tail)]}
        if recover:
            message["since"] = {"seq": client.position.seq, "epoch": client.position.epoch}
        self.steps += 1
        self.service.say(client, **message)
        self.check()

    @rule(n=st.integers(0, 3), tail=SUBTOPICS)
    @precondition(lambda self: self.here())
    def unsubscribe(self, n, tail):
        client = self.here()[n % len(self.here())]
        topic = topic_of(client.user, tail)
        self.steps += 1
        self.service.say(client, type="unsubscribe", topics=[topic])
        self.check()
        client.whole.pop(topic, None)

    @rule(n=st.integers(0, 3), foreground=st.booleans())
    @precondition(lambda self: self.here())
    def turn(self, n, foreground):
        client = self.here()[n % len(self.here())]
        client.foreground = foreground
        state = "foreground" if foreground else "background"
        self.service.say(client, type="state", state=state)
        self.check()

    @rule(n=st.integers(0, 3), many=st.integers(1, 5))
    @precondition(lambda self: self.here())
    def ack(self, n, many):
        client = self.here()[n % len(self.here())]
        rows = [self.model.rows[id] for id in list(client.shown)[-many:]]
        for row in rows:
            row.acked = True
        self.service.say(client, type="ack", ids=[row.id for row in rows])
        for row in rows if not self.service.crashed else ():
            row.noted = True
        self.check()

    # What happens anyway

    @rule(seconds=PAUSES)
    def wait(self, seconds):
        while seconds > 0:
            self.service.pass_time(min(0.5, seconds))
            seconds -= 0.5
            self.listen()
        self.check()

    @rule(point=st.sampled_from(POINTS), hits=st.integers(1, 3))
    def arm(self, point, hits):
        self.service.arm(point, hits)

    @rule()
    def crash(self):
        self.service.crash()
        self.check()

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
        self.learn()

    def take(self, client, got):
        frame = got.frame
        if frame["type"] in ("connection_ack", "subscribe_ack"):
            client.topics = tuple(frame.get("all_topics", frame["topics"]))
            client.start = frame.get("seq", self.model.seqs[client.user])
            if frame["type"] == "connection_ack":
                client.position = Position(frame["seq"], frame["epoch"])
            return
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
            known.deleted = row["deleted_at"] is not None

    def check(self):
        self.listen()
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
        for _ in range(12):
            self.service.pass_time(1)
            self.check()
        waiting = self.service.scalars("SELECT id FROM toastkit_outbox")
        assert waiting == [], "the outbox was forgotten"
        for row in self.model.rows.values():
            assert row.state in ENDED, f"{row} was never decided"
            acked = row.state in ("acked", "expired", "superseded")
            assert acked or not row.noted, f"the ack of {row} was lost"
        for client in self.here():
            for row in self.model.of(client.user):
                topics = [t for t, step in client.whole.items() if step < row.step]
                if hears(topics, row.topic) and self.model.alive(row, self.clock.now()):
                    assert row.id in client.shown or row.read, f"{client} was never told {row}"


SLOW = (Phase.shrink, Phase.explain)


class Files:
    """Make SQLite databases, each with the newest schema."""

    def __init__(self, folder):
        self.folder, self.numbers = folder, count()
        self.template = folder / "template.db"
        upgrade(f"sqlite:///{self.template}")

    def fresh(self):
        path = self.folder / f"{next(self.numbers)}.db"
        path.write_bytes(self.template.read_bytes())
        return f"sqlite:///{path}"

    def drop(self, url):
        for path in self.folder.glob(f"{make_url(url).database.rpartition('/')[2]}*"):
            path.unlink()


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request, tmp_path):
    if request.param == "postgresql":
        return request.getfixturevalue("postgres")
    return Files(tmp_path)


def run(databases, **given):
    machine = type("Here", (Delivery,), {"databases": databases})
    quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    given["phases"] = [phase for phase in Phase if SHRINK or phase not in SLOW]
    chosen = settings(deadline=None, suppress_health_check=quiet, print_blob=True, **given)
    run_state_machine_as_test(machine, settings=chosen)


@pytest.mark.timeout(180)
def test_whatever_happens_a_toast_ends_as_promised(databases):
    run(databases, max_examples=EXAMPLES, stateful_step_count=30)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_whatever_happens_for_long_a_toast_ends_as_promised(databases):
    run(databases, max_examples=10 * EXAMPLES, stateful_step_count=50)
