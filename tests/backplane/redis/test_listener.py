"""What is subscribed, and in which order: who is seen on the last channel hears all others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hiredis import ReplyError

from tests.backplane.redis.workers import until
from tests.redis import RedisServer
from toastkit.backplane.redis.counts import Counts
from toastkit.backplane.redis.dial import Place
from toastkit.backplane.redis.line import LineParts
from toastkit.backplane.redis.listener import SLICE, Listener, Listening
from toastkit.config import Config
from toastkit.runtime.contract import Runtime


class Told:
    """A listener, and what it has said."""

    def __init__(self, runtime: Runtime, url: str) -> None:
        self.runtime = runtime
        self.heard = self.lost = 0
        self.joined: list[bytes] = []
        self.messages: list[tuple[bytes, bytes]] = []
        place = Place.of(Config(redis_url=url))
        told = Listening(self._heard, self._lost, self.joined.extend, self._message)
        self.listener = Listener(LineParts(runtime, place, Counts()), told)
        self.sent: list[tuple[Any, ...]] = []
        send = self.listener._line.send
        self.listener._line.send = lambda *it: (self.sent.append(it), send(*it))[1]  # type: ignore[method-assign]

    def _heard(self) -> None:
        self.heard += 1

    def _lost(self) -> None:
        self.lost += 1

    def _message(self, channel: bytes, payload: bytes) -> None:
        self.messages.append((channel, payload))

    def do(self, method: str, *given: Any, **named: Any) -> None:
        self.runtime.ask(lambda: getattr(self.listener, method)(*given, **named))

    def subscribed(self) -> list[bytes]:
        return [each for command in self.sent if command[0] == "SUBSCRIBE" for each in command[1:]]


@pytest.fixture
def told(runtime: Runtime, own_redis: RedisServer) -> Iterator[Told]:
    told = Told(runtime, own_redis.url)
    yield told
    told.do("close")


def test_the_last_channel_is_subscribed_after_all_others_each_time(
    told: Told, own_redis: RedisServer
) -> None:
    told.do("want", b"everybody", last=True)
    for number in range(2 * SLICE):
        told.do("want", b"%d" % number)
    told.do("open")
    until(lambda: told.heard == 1)
    assert told.subscribed()[-1] == b"everybody"
    told.sent.clear()
    own_redis.ask("CLIENT", "KILL", "TYPE", "pubsub")
    until(lambda: told.heard == 2)
    assert len(told.subscribed()) == 2 * SLICE + 1
    assert told.subscribed()[-1] == b"everybody"
    assert told.sent[-1] == ("PING", b"all")
    assert told.joined == []


def test_what_is_joined_later_is_said_when_it_is_heard(told: Told, own_redis: RedisServer) -> None:
    told.do("want", b"a")
    told.do("open")
    until(lambda: told.heard == 1)
    assert told.joined == []
    told.do("want", b"b")
    until(lambda: told.joined == [b"b"])
    own_redis.ask("PUBLISH", "b", "hello")
    until(lambda: told.messages == [(b"b", b"hello")])


def test_what_was_left_and_joined_in_one_turn_stays(told: Told) -> None:
    told.do("want", b"a")
    told.do("open")
    until(lambda: told.heard == 1)
    told.sent.clear()

    def turn() -> None:
        told.listener.leave(b"a")
        told.listener.want(b"a")
        told.listener.want(b"b")
        told.listener.leave(b"b")

    told.runtime.ask(turn)
    told.do("want", b"c")
    until(lambda: told.joined == [b"c"])
    assert told.sent == [("SUBSCRIBE", b"c")]


def test_what_was_to_be_subscribed_on_a_lost_connection_waits_for_the_next(told: Told) -> None:
    told.do("want", b"a")
    told.do("open")
    until(lambda: told.heard == 1)
    told.sent.clear()

    def turn() -> None:
        told.listener.want(b"b")
        told.listener._line.break_off("cut")

    told.runtime.ask(turn)
    until(lambda: told.heard == 2)
    assert told.sent[0] == ("INFO", "server")
    assert told.subscribed() == [b"a", b"b"]


def test_what_comes_behind_a_refusal_is_taken_for_nothing(told: Told) -> None:
    told.do("want", b"a")
    told.do("open")
    until(lambda: told.heard == 1)
    replies = [ReplyError("NOPERM"), [b"message", b"a", b"late"], [b"pong", b"all"]]
    greetings = list(told.listener._greetings)
    told.do("_replies", replies)
    assert (told.lost, told.messages) == (1, [])
    assert told.listener._greetings == greetings
    until(lambda: told.heard == 2)


def test_a_connection_that_says_nothing_is_pinged_and_then_given_up(
    told: Told, own_redis: RedisServer
) -> None:
    told.do("want", b"a")
    told.do("open")
    until(lambda: told.heard == 1)
    for _ in range(20):
        told.sent.clear()
        told.do("tick")
        until(lambda: not told.sent or told.listener._silence == 0)
    assert told.lost == 0
    own_redis.pause()
    for _ in range(6):
        told.do("tick")
    assert told.lost == 1
    own_redis.resume()
    until(lambda: told.heard == 2)
