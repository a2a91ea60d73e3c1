"""On Apple's worst day each push ends taken once, or with its reason; none is lost."""

from collections import Counter, defaultdict

import pytest

from tests.apple.chaos import Chaos
from tests.apple.phones import register, user_of, wait_until
from tests.postgres import ask
from toastkit import Config, Kit
from toastkit.publishing import pauses

FEW, MANY = 300, 5000
ROOM = 64
ENDS = {"sent": "sent", "failed": "failed"}
QUEUED = {("apns", "queued", None)}


@pytest.fixture
def hasty(monkeypatch):
    """Pause a twentieth as long after an attempt: the order of things stays the same."""
    monkeypatch.setattr(pauses, "FIRST_SECONDS", pauses.FIRST_SECONDS / 20)


@pytest.mark.parametrize(
    "many", [FEW, pytest.param(MANY, marks=[pytest.mark.long, pytest.mark.timeout(600)])]
)
def test_each_push_ends_taken_once_or_with_its_reason(apple, url, hasty, many):
    apple.goaway_every, apple.latency, apple.decide = 17, 0.02, Chaos(seed=many, share=0.3)
    with Kit(Config(database_url=url, sweep_ms=50, **apple.config())) as kit:
        kit.node.serve()
        users = register(kit, many)
        receipts = kit.publish_toasts(users, {"title": "A storm", "body": "Stay inside"})
        assert {(each.transport, each.status, each.reason) for each in receipts} == QUEUED
        wait_until(lambda: not kit.deliveries.waiting(), many / 10)
    assert apple.faults() == []
    toasts = dict(ask(url, "SELECT user_id, state FROM toastkit_toasts"))
    pushes = {user: rest for user, *rest in ask(url, DELIVERIES)}
    assert toasts.keys() == pushes.keys() == set(users)
    assert {user: ENDS[state] for user, (state, _) in pushes.items()} == toasts
    assert all(answer for _, answer in pushes.values())
    repeats = repeated(apple.requests)
    rung = rings(apple.requests)
    assert all(rung[user] >= 1 for user in users if pushes[user][0] == "sent")
    assert all(rung[user] <= 1 for user in users if user not in repeats)
    assert 10 < apple.busiest <= ROOM
    print(
        f"{many} pushes: {Counter(state for state, _ in pushes.values())}, {len(apple.requests)} "
        f"requests, {apple.connections} connections, {len(repeats)} rang more than once"
    )


DELIVERIES = "SELECT user_id, state, last_answer FROM toastkit_deliveries"


def rings(requests):
    return Counter(user_of(each.token) for each in requests if each.taken)


def repeated(requests):
    """Return whose phone may have rung twice: of one attempt Apple's answer was lost.

    However often a push was repeated, it was the same, so that a phone shows it once.
    """
    by_phone = defaultdict(list)
    for request in requests:
        by_phone[request.token].append(request)
    for each in by_phone.values():
        assert all(request.sent == each[0].sent for request in each)
    rung = {token: [each for each in all_ if each.taken] for token, all_ in by_phone.items()}
    return {
        user_of(token)
        for token, taken in rung.items()
        if len(taken) > 1 and all(each.lost for each in taken[:-1])
    }


def test_64_pushes_are_under_way_at_once_over_one_connection(apple, url):
    with Kit(Config(database_url=url, sweep_ms=20, **apple.config())) as kit:
        kit.node.serve()
        users = register(kit, 3 * ROOM)
        assert kit.publish_toast(users[0], "First").transport == "apns"
        # Until Apple has answered one, one at a time is all that is asked.
        wait_until(lambda: not kit.deliveries.waiting())
        apple.hold()
        kit.publish_toasts(users, "And all the others")
        apple.wait(1 + ROOM)
        kit.publish_toasts(users[:1], "Nor this one")
        apple.release()
        wait_until(lambda: not kit.deliveries.waiting())
    assert (apple.busiest, apple.connections) == (ROOM, 1)
    assert len(apple.requests) == 2 + 3 * ROOM
    assert apple.faults() == []
