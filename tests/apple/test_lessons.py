"""What Apple answers teaches about a phone, from the socket to the table of devices."""

import pytest

from tests.apple.answers import Answer, because
from tests.apple.phones import register, wait_until
from tests.apple.server import Apple
from toastkit import Config, Kit
from toastkit.testing import ManualClock

pytestmark = pytest.mark.plain

HOUR = 3600


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def apples(papers, clock):
    """Run both environments; each knows the push tokens it is told."""

    def now():
        return clock.now() / 1000

    with Apple(papers, now=now) as production, Apple(papers, now=now) as sandbox:
        yield production, sandbox
        assert production.faults() + sandbox.faults() == []


@pytest.fixture
def kit(url, apples, clock):
    production, sandbox = apples
    # A busy machine is no reason to say "queued".
    patient = {"sweep_ms": 20, "confirm_ms": 5000}
    config = Config(database_url=url, **patient, **production.config(sandbox))
    with Kit(config, clock=clock) as kit:
        kit.node.serve()
        yield kit


def publish(kit, user, title="Hello"):
    """Publish, and wait until its pushes have ended; return the first receipt."""
    receipt = kit.publish_toast(user, title)
    wait_until(lambda: not kit.deliveries.waiting())
    return receipt.transport, receipt.status, receipt.reason


def tokens(kit, *users):
    return [device.push_token is not None for user in users for device in kit.devices.of(user)]


def test_a_phone_that_is_gone_is_pushed_to_no_more(kit, apples, clock):
    [user] = register(kit, 1)
    apples[0].always(Answer(status=410, reason="Unregistered", timestamp=clock.now() + 1))
    assert publish(kit, user) == ("none", "undelivered", "provider_error")
    assert publish(kit, user) == ("none", "undelivered", "no_device")
    assert len(apples[0].requests) == 1


def test_a_phone_that_came_back_since_is_still_pushed_to(kit, apples, clock):
    [user] = register(kit, 1)
    gone_at = clock.now() - HOUR * 1000
    apples[0].always(Answer(status=410, reason="ExpiredToken", timestamp=gone_at))
    assert publish(kit, user) == ("none", "undelivered", "provider_error")
    apples[0].always(None)
    assert publish(kit, user) == ("apns", "delivered", None)


def test_which_environment_a_phone_is_of_is_found_out_once(kit, apples):
    production, sandbox = apples
    [user] = register(kit, 1)
    production.known = set()
    for _ in range(3):
        assert publish(kit, user) == ("apns", "delivered", None)
    assert (len(production.requests), len(sandbox.requests)) == (1, 3)


def test_when_every_token_is_refused_none_is_forgotten(kit, apples):
    for apple in apples:
        apple.known = set()
    users = register(kit, 5)
    for _ in range(4):
        for user in users:
            assert publish(kit, user)[2] == "provider_error"
    assert tokens(kit, *users) == [True] * 5


def test_a_token_that_is_refused_while_others_are_taken_is_forgotten(kit, apples, clock):
    wrong, right = register(kit, 2)
    token = kit.devices.of(wrong)[0].push_token
    for apple in apples:
        apple.always(because("BadDeviceToken"), token)
    answers = []
    for _ in range(5):
        answers.append(publish(kit, wrong)[2])
        clock.advance(2 * HOUR)
        assert publish(kit, right)[1] == "delivered"
    assert answers == ["provider_error"] * 3 + ["no_device"] * 2
    assert tokens(kit, wrong, right) == [False, True]
