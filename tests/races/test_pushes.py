"""Pushes against acks, registrations against each other, and whoever is killed when."""

import random
from collections import Counter, defaultdict

import pytest

from tests.races.conftest import Process, processes
from tests.races.pusher import POINTS, push
from toastkit.clock import SystemClock
from toastkit.events import Event
from toastkit.ids import toast_id
from toastkit.records import Device
from toastkit.runtime import runtime_for
from toastkit.storage import Storage

pytestmark = [pytest.mark.plain, pytest.mark.timeout(1800)]
USERS = [f"user{number}" for number in range(20)]
CONTENT = dict.fromkeys(("body", "deeplink", "data")) | {
    "title": "Hello",
    "style": "info",
    "priority": "normal",
}


class Pusher(Process):
    """A process that pushes, acks and registers as it is told."""

    module = "tests.races.pusher"

    def ask(self, *words):
        self.say(words)
        return self.answer()


@pytest.fixture
def storage(shared):
    storage = Storage(shared.url, runtime_for("auto"), SystemClock())
    yield storage
    storage.close()


@pytest.fixture
def toasts(storage):
    """Accept toasts of users who each have a phone; return id, user and position of each."""

    def accept(many):
        for user in USERS:
            phone = Device(user_id=user, device_id=user, bundle_id="app", push_token=user)
            storage.devices.register(phone, 20)
        now = SystemClock().now()
        fresh = [event(USERS[number % len(USERS)], now) for number in range(many)]
        places = storage.inbox.accept(fresh, 60_000)
        return [
            (place.id, each.user_id, place.seq) for each, place in zip(fresh, places, strict=True)
        ]

    return accept


def event(user, now):
    given = {"kind": "toast", "name": "toast", "route": f"user:{user}", "topic": f"user:{user}"}
    return Event(id=toast_id(now), user_id=user, created_at=now, data=CONTENT, **given)


def settled(shared):
    """Return every toast's row by id, and what its deliveries came to; nothing may be half done."""
    ends = defaultdict(list)
    for row in shared.rows("SELECT toast_id, state, next_attempt_at FROM toastkit_deliveries"):
        assert (row["state"] == "waiting") == (row["next_attempt_at"] is not None)
        ends[row["toast_id"]].append(row["state"])
    rows = {row["id"]: row for row in shared.rows()}
    for id, row in rows.items():
        waits = "waiting" in ends[id]
        if row["state"] == "accepted":
            assert ends[id] == []
        elif row["state"] == "owed":
            assert waits, "owed, and nobody will carry it"
        elif row["state"] == "sent":
            assert "sent" in ends[id]
    return rows, ends


def race(shared, storage, fresh, ledger):
    """Let two processes push what two others ack; every toast is one or the other."""
    now = SystemClock().now()
    storage.deliveries.owe([push(*toast, now) for toast in fresh])
    acks = [(id, user) for id, user, _ in fresh]
    with processes(Pusher, shared.url, 4) as (*carriers, one, other):
        for carrier in carriers:
            carrier.say(["carry", str(ledger)])
        for acker, half in ((one, acks[::2]), (other, acks[1::2])):
            acker.say(["ack", *random.sample(half, len(half))])
        assert [each.answer() for each in (*carriers, one, other)] == ["done"] * 4
    taken = Counter(
        id for id, state in map(str.split, ledger.read_text().splitlines()) if state == "sent"
    )
    rows, _ = settled(shared)
    for id, row in rows.items():
        assert row["acked_at"] is not None, "an ack was lost"
        assert row["state"] == ("sent" if taken[id] else "acked")
        assert taken[id] <= 1
    assert {row["state"] for row in rows.values()} == {"acked", "sent"}, "nobody met anybody"


def test_A18_of_an_ack_and_a_push_exactly_one_wins(shared, storage, toasts, tmp_path):
    race(shared, storage, toasts(200), tmp_path / "ledger")


@pytest.mark.long
def test_A18_of_five_thousand_acks_and_pushes_exactly_one_wins(shared, storage, toasts, tmp_path):
    race(shared, storage, toasts(5000), tmp_path / "ledger")


def test_A27_a_push_token_that_eight_processes_register_has_one_owner(shared, storage):
    storage.devices.of("nobody")
    with processes(Pusher, shared.url, 8) as started:
        for number, each in enumerate(started):
            each.say(["register", USERS[number], 21])
        assert [each.answer() for each in started] == ["done"] * 8
    rows = shared.rows("SELECT push_token, device_id FROM toastkit_devices")
    assert Counter(row["push_token"] for row in rows) == Counter(f"token {n}" for n in range(7))


def test_a_process_killed_between_any_two_steps_of_a_push_leaves_nothing_half_done(
    shared, storage, toasts
):
    ends = {}
    with processes(Pusher, shared.url, 1) as [pusher]:
        for point in POINTS:
            fresh = toasts(6)
            assert pusher.ask("day", point, *fresh) == 9, f"nobody came to {point!r}"
            settled(shared)
            assert pusher.ask("day", None, *fresh) == 0
            rows, _ = settled(shared)
            ends |= {rows[id]["state"]: rows[id]["reason"] for id, *_ in fresh}
    assert ends == {"sent": None, "failed": "provider_error"}
    [attempts] = shared.rows("SELECT max(attempts) AS most FROM toastkit_deliveries")
    assert attempts["most"] <= 3  # one was too early, one was killed
