"""A push has one outcome, whatever the push service says and whatever its connection does."""

from __future__ import annotations

import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.apple.answers import Answer, because
from tests.apple.server import Apple
from tests.senders.apns.conftest import Make
from tests.senders.apns.pushes import TOKEN, delivery, device
from tests.test_kit import eventually
from toastkit.clock import SystemClock
from toastkit.deliveries import Gone, Later, Outcome, Refusal, Sent
from toastkit.errors import ConfigError
from toastkit.records import Environment
from toastkit.senders.apns import ApnsSender, ApnsSettings
from toastkit.senders.apns import sender as module
from toastkit.senders.apns.request import push_request
from toastkit.senders.apns.token import WINDOW_SECONDS
from toastkit.testing import ManualClock

SINCE = 1_799_999_000_000


class Ahead(SystemClock):
    """A clock that goes ahead of the world's, by so many seconds."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds

    def now(self) -> int:
        return super().now() + self.seconds * 1000


def bearers(apple: Apple) -> list[str]:
    return [request.headers["authorization"] for request in apple.requests]


def ids(apple: Apple) -> set[str]:
    return {request.id for request in apple.requests}


def test_A28_a_push_arrives_as_it_was_written(apple: Apple, sender: ApnsSender) -> None:
    owed = delivery()
    assert sender.post(owed) == Sent("200")
    (asked,) = apple.requests
    assert owed.device is not None
    wanted = push_request(owed, owed.device, apple.host)
    assert (asked.path, asked.body) == (wanted.path, wanted.body)
    named = {name: asked.headers[name] for name, _ in wanted.headers}
    assert named == dict(wanted.headers)
    assert asked.headers[":authority"] == apple.host
    assert apple.faults() == []


def test_without_a_push_token_nobody_is_asked(apple: Apple, sender: ApnsSender) -> None:
    assert isinstance(sender.post(delivery(device(None))), Refusal)
    assert apple.connections == 0


def test_pushes_share_a_connection_and_a_provider_token(apple: Apple, sender: ApnsSender) -> None:
    for _ in range(3):
        sender.post(delivery())
    assert (apple.connections, len(set(bearers(apple)))) == (1, 1)


def test_A29_who_is_gone_is_gone_since_a_time(apple: Apple, sender: ApnsSender) -> None:
    apple.always(Answer(status=410, reason="Unregistered", timestamp=SINCE))
    assert sender.post(delivery()) == Gone("410 Unregistered", SINCE)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_A29_it_is_tried_again_when_the_answer_says(
    apple: Apple, sender: ApnsSender, status: int
) -> None:
    apple.always(Answer(status=status, retry_after="7"))
    assert sender.post(delivery()) == Later(str(status), 7.0, away=status == 503)


# The provider token


def test_A29_a_token_that_is_too_old_is_made_anew_once(apple: Apple, make: Make) -> None:
    apple.script(TOKEN, because("ExpiredProviderToken"))
    # In the first minute of a window the token is new as it is.
    clock = Ahead(-90 if time.time() % WINDOW_SECONDS < 90 else 0)
    assert make(clock=clock).post(delivery()) == Sent("200")
    first, second = bearers(apple)
    assert first != second
    assert len(ids(apple)) == 1


def test_A29_a_token_that_stays_too_old_is_an_operators_matter(
    apple: Apple, sender: ApnsSender, caplog: pytest.LogCaptureFixture
) -> None:
    apple.always(because("ExpiredProviderToken"))
    for _ in range(3):
        assert sender.post(delivery()) == Later("403 ExpiredProviderToken", away=True)
    assert len(apple.requests) == 6
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "does the clock of this machine go right?" in caplog.text


def test_A29_a_clock_that_is_behind_does_no_harm(apple: Apple, make: Make) -> None:
    sender = make(clock=Ahead(-3500))
    assert all(sender.post(delivery()) == Sent("200") for _ in range(2))


def test_A29_a_key_that_is_refused_is_told_once_an_hour(
    apple: Apple, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    apple.providers.now = lambda: clock.now() / 1000
    sender = make(clock=clock)
    apple.always(because("InvalidProviderToken"))
    for _ in range(5):
        assert sender.post(delivery()) == Later("403 InvalidProviderToken", away=True)
    assert len(caplog.records) == 1
    clock.advance(module.TOLD_SECONDS)
    sender.post(delivery())
    assert len(caplog.records) == 2
    assert "apns_key_file" in caplog.text


@pytest.mark.parametrize("reason", ["InvalidProviderToken", "PayloadTooLarge", "BadDeviceToken"])
def test_no_log_and_no_outcome_holds_a_secret(
    apple: Apple, sender: ApnsSender, caplog: pytest.LogCaptureFixture, reason: str
) -> None:
    caplog.set_level(logging.DEBUG)
    apple.always(because(reason))
    told = f"{sender.post(delivery())!r} {caplog.text}"
    secrets = [bearers(apple)[0].removeprefix("bearer "), TOKEN]
    secrets += apple.papers.key_file.read_text().splitlines()[1:-1]
    assert not [secret for secret in secrets if secret in told]


# The other environment


@pytest.mark.parametrize(
    ("here", "there", "expected"),
    [
        ("BadDeviceToken", None, Sent("200", "sandbox")),
        ("BadDeviceToken", "BadDeviceToken", Refusal("400 BadDeviceToken", suspect=True)),
        ("BadDeviceToken", "Unregistered", Gone("410 Unregistered")),
        ("BadDeviceToken", "InternalServerError", Later("500 InternalServerError")),
        ("BadDeviceToken", "ServiceUnavailable", Later("503 ServiceUnavailable")),
        ("BadDeviceToken", "TopicDisallowed", Refusal("400 BadDeviceToken", suspect=True)),
        ("TopicDisallowed", None, Refusal("400 TopicDisallowed")),
    ],
)
def test_A29_a_token_that_is_refused_may_be_of_the_other_environment(
    apple: Apple, sandbox: Apple, make: Make, here: str, there: str | None, expected: Outcome
) -> None:
    apple.always(because(here))
    sandbox.always(because(there) if there else None)
    assert make(sandbox_host=sandbox.host).post(delivery()) == expected
    assert len(sandbox.requests) == (here == "BadDeviceToken")


def test_A29_where_there_is_one_host_it_is_asked_once(apple: Apple, sender: ApnsSender) -> None:
    apple.always(because("BadDeviceToken"))
    assert sender.post(delivery()) == Refusal("400 BadDeviceToken", suspect=True)
    assert len(apple.requests) == 1


@pytest.mark.parametrize(("environment", "away"), [("production", True), ("sandbox", False)])
def test_a_host_for_few_that_is_away_holds_up_nobody_else(
    apple: Apple, sandbox: Apple, make: Make, environment: Environment, away: bool
) -> None:
    sender = make(sandbox_host=sandbox.host)
    for each in (apple, sandbox):
        each.leave()
    outcome = sender.post(delivery(device(environment=environment)))
    assert isinstance(outcome, Later)
    assert outcome.away == away


# The connection


@pytest.mark.parametrize("way", ["reset", "drop", "goaway", "silence"])
def test_A29_what_has_no_answer_is_repeated_once_as_the_same_push(
    apple: Apple, make: Make, way: Any
) -> None:
    sender = make(seconds=0.5)
    sender.post(delivery())
    apple.script(TOKEN, Answer(way=way, taken=way != "goaway"))
    assert sender.post(delivery()) == Sent("200")
    (sent,) = {(tuple(each.headers.items()), each.body) for each in apple.requests[-2:]}
    assert sent
    assert apple.faults() == []


@pytest.mark.parametrize(("way", "away"), [("reset", False), ("drop", True), ("silence", True)])
def test_A29_what_has_no_answer_twice_is_tried_again_later(
    apple: Apple, make: Make, way: Any, away: bool
) -> None:
    sender = make(seconds=0.5)
    apple.script(TOKEN, Answer(way=way), Answer(way=way))
    outcome = sender.post(delivery())
    assert isinstance(outcome, Later)
    assert outcome.away == away
    assert sender.post(delivery()) == Sent("200")


def test_A29_a_machine_that_shuts_down_is_left_for_another(
    apple: Apple, sender: ApnsSender
) -> None:
    apple.script(TOKEN, because("Shutdown"))
    assert sender.post(delivery()) == Sent("200")
    assert apple.connections == 2


def test_A29_where_every_machine_shuts_down_it_ends(apple: Apple, sender: ApnsSender) -> None:
    apple.always(because("Shutdown"))
    assert sender.post(delivery()) == Later("503 Shutdown")
    assert apple.connections == module.PATIENCE + 1


def test_A29_where_everything_is_sent_away_it_ends(apple: Apple, sender: ApnsSender) -> None:
    apple.always(Answer(way="goaway"))
    assert sender.post(delivery()) == Later("no answer: the connection was ending", away=True)


def test_A29_where_everything_is_refused_unseen_it_ends(apple: Apple, sender: ApnsSender) -> None:
    """Also over a connection that has answered before: it would be asked for ever."""
    assert sender.post(delivery()) == Sent("200")
    apple.always(Answer(way="refuse"))
    assert sender.post(delivery()) == Later("no answer: the stream was refused", away=True)
    assert (len(apple.requests), apple.connections) == (1 + module.PATIENCE + 1, 1)


def test_closing_waits_for_nobody_who_is_away(apple: Apple, make: Make) -> None:
    sender = make(seconds=5)
    apple.freeze()
    with ThreadPoolExecutor(1) as thread:
        outcome = thread.submit(sender.post, delivery())
        eventually(lambda: sender._lines._mine()._by_host)
        sender.close()
        assert not outcome.done()
        apple.thaw()
        assert isinstance(outcome.result(), Later)


def test_who_is_away_is_found_when_they_come_back(apple: Apple, sender: ApnsSender) -> None:
    sender.post(delivery())
    apple.leave()
    assert isinstance(sender.post(delivery()), Later)
    apple.come_back()
    assert sender.post(delivery()) == Sent("200")


def test_a_black_hole_is_left_after_a_while(apple: Apple, make: Make) -> None:
    sender = make(seconds=0.5)
    sender.post(delivery())
    apple.freeze()
    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(sender.post, [delivery()] * 8))
    assert all(isinstance(each, Later) and each.away for each in outcomes)
    apple.thaw()
    assert sender.post(delivery()) == Sent("200")


def test_another_process_has_a_connection_of_its_own(
    apple: Apple, sender: ApnsSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender.post(delivery())
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: 0)
        assert sender.post(delivery()) == Sent("200")
        sender.close()
    assert apple.connections == 2
    assert sender.post(delivery()) == Sent("200")
    assert apple.connections == 2


def test_whom_nobody_vouches_for_gets_no_push(
    apple: Apple, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    sender = make(ca_file="")
    for _ in range(2):
        outcome = sender.post(delivery())
        assert isinstance(outcome, Later)
        assert outcome.away
        assert "certificate verify failed" in outcome.answer
    assert not apple.requests
    (record,) = caplog.records
    assert "apns_ca_file" in record.getMessage()


def test_what_is_missing_is_named(apple: Apple, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "toastkit.senders.apns.lines", None)
    named = {name.removeprefix("apns_"): value for name, value in apple.config().items()}
    with pytest.raises(ConfigError, match=r"toastkit\[apns\]"):
        ApnsSender(ApnsSettings(**named))
