"""Apple is away for a while: publishing does not feel it, and nothing owed is forgotten."""

import time
from statistics import median

import pytest

from tests.apple.answers import Answer, because
from tests.apple.phones import push_token, register, wait_until
from tests.apple.server import Apple
from tests.postgres import ask
from toastkit import Config, Kit
from toastkit.testing import ManualClock

pytestmark = pytest.mark.plain

MANY = 60
PATIENCE = 2000
"""Milliseconds a publish waits for Apple: a busy machine is no reason to say "queued"."""
ABSENCES = {"refuses": (Apple.leave, Apple.come_back), "is silent": (Apple.freeze, Apple.thaw)}


@pytest.fixture(params=ABSENCES)
def absence(request):
    return ABSENCES[request.param]


@pytest.fixture
def kits(url, apple):
    """Make a kit that sends pushes, and one on the same database that does not."""
    settings = {"database_url": url, "sweep_ms": 50}
    with (
        Kit(Config(**settings, **apple.config())) as kit,
        Kit(Config(**settings, carry=False)) as plain,
    ):
        kit.node.serve()
        plain.node.serve()
        yield kit, plain


def seconds(kit, user):
    began = time.perf_counter()
    receipt = kit.publish_toast(user, "Are you there?")
    return time.perf_counter() - began, receipt


def test_publishing_takes_as_long_as_without_pushes(kits, apple, absence):
    kit, plain = kits
    away, back = absence
    users = register(kit, MANY)
    seconds(plain, "nobody")
    assert seconds(kit, users[0])[1].transport == "apns"
    away(apple)
    pairs = [(seconds(kit, user), seconds(plain, "nobody")) for user in users]
    assert {(a.transport, a.status, b.reason) for (_, a), (_, b) in pairs} == {
        ("apns", "queued", "no_session")
    }
    # Some must be the first to find out, and wait no longer than a publish may take. What is owed
    # is a commit more than what is not, and the first attempts are made beside the publishes.
    slow = [owed for (owed, _), (beside, _) in pairs if owed > beside + 0.2]
    assert len(slow) <= MANY / 6
    assert median(a for (a, _), _ in pairs) < 4 * median(b for _, (b, _) in pairs) + 0.05
    back(apple)
    wait_until(lambda: not kit.deliveries.waiting(), 40)
    assert len(apple.taken()) == MANY + 1
    assert apple.faults() == []


@pytest.fixture
def patient(url, papers):
    """Run Apple and a kit whose time is the test's."""
    clock = ManualClock()
    with (
        Apple(papers, now=lambda: clock.now() / 1000) as apple,
        Kit(
            Config(database_url=url, sweep_ms=20, confirm_ms=PATIENCE, **apple.config()),
            clock=clock,
        ) as kit,
    ):
        kit.node.serve()
        yield kit, apple, clock
        assert apple.faults() == []


def test_all_that_is_wanted_still_is_sent_when_it_is_back(url, patient):
    kit, apple, clock = patient
    users = register(kit, MANY)
    apple.leave()
    soon = [kit.publish_toast(user, "Soon", ttl_ms=60_000).id for user in users]
    late = [kit.publish_toast(user, "Late", ttl_ms=3_000_000).id for user in users]
    for _ in range(120):  # two minutes
        clock.advance(1)
        time.sleep(0.01)
    assert kit.deliveries.waiting() == {"apns": MANY}
    attempts = dict(ask(url, "SELECT toast_id, attempts FROM toastkit_deliveries"))
    apple.come_back()
    wait_until(lambda: clock.advance(1) or not kit.deliveries.waiting())
    states = dict(ask(url, "SELECT id, state FROM toastkit_toasts"))
    assert {states[id] for id in soon} == {"expired"}
    assert {states[id] for id in late} == {"sent"}
    # On a slow machine this clock outruns a post, whose lease then ends: that one is posted again.
    assert {each.json["toast"]["id"] for each in apple.requests} == set(late)
    assert sum(attempts[id] for id in late) < 3 * MANY


def test_of_a_collapse_key_the_newest_alone_rings_when_it_is_back(url, patient):
    kit, apple, clock = patient
    users = register(kit, 3)
    apple.leave()
    for step in range(5):
        for user in users:
            kit.publish_toast(user, f"Step {step}", collapse_key="job", ttl_ms=3_000_000)
        for _ in range(5):  # no attempt goes on when the next one is published
            clock.advance(1)
            time.sleep(0.05)
    apple.come_back()
    wait_until(lambda: clock.advance(1) or not kit.deliveries.waiting())
    assert {each.json["aps"]["alert"]["title"] for each in apple.requests} == {"Step 4"}
    assert {each.token for each in apple.requests} == {push_token(place) for place in range(3)}
    reasons = ask(url, "SELECT reason, count(*) FROM toastkit_toasts GROUP BY reason")
    assert sorted(reasons, key=str) == [("superseded", 12), (None, 3)]
    assert [each.title for each in kit.toasts.list(users[0]).items] == ["Step 4"]


def test_one_push_that_apple_never_takes_is_tried_ever_more_rarely(patient):
    kit, apple, clock = patient
    unlucky, other = register(kit, 2)
    apple.always(because("ServiceUnavailable"), push_token(0))
    kit.publish_toast(unlucky, "Never", ttl_ms=3_600_000)
    for _ in range(60):
        clock.advance(5)
        kit.publish_toast(other, "At once")
        time.sleep(0.03)
    clock.advance(5)
    wait_until(lambda: kit.deliveries.waiting() == {"apns": 1})
    attempts = sum(request.token == push_token(0) for request in apple.requests)
    assert 3 < attempts < 30


def test_what_apple_asks_for_is_waited(patient):
    kit, apple, clock = patient
    [user] = register(kit, 1)
    wait = Answer(status=429, reason="TooManyRequests", retry_after="30")
    apple.script(push_token(0), wait)
    assert kit.publish_toast(user, "Soon").status == "queued"
    clock.advance(29)
    time.sleep(0.2)
    assert len(apple.requests) == 1
    clock.advance(5)
    first, second = apple.wait(2)
    assert first.sent == second.sent


def test_the_provider_token_changes_as_often_as_apple_wants(patient):
    kit, apple, clock = patient
    [user] = register(kit, 1)
    apple.providers.strict = True
    for _ in range(20):  # five hours
        assert kit.publish_toast(user, "Still me").delivered
        clock.advance(15 * 60)
    assert len(apple.providers.seen) in {6, 7}
    assert apple.connections == 1
