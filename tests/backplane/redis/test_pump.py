"""Commands and replies: each gets its own, in time or not at all."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hiredis import ReplyError

from tests.backplane.redis.workers import until
from tests.redis import RedisServer
from toastkit.backplane.redis.counts import Counts
from toastkit.backplane.redis.dial import Place
from toastkit.backplane.redis.line import LineParts
from toastkit.backplane.redis.pump import Pump
from toastkit.errors import BackplaneUnavailable
from toastkit.runtime.contract import Runtime

SECONDS = 0.2


class Asking:
    """A pump, and what came of each command."""

    def __init__(self, runtime: Runtime, port: int) -> None:
        self.runtime = runtime
        self.told: list[Any] = []
        self.counts = Counts()
        self.settled = 0

        def dial() -> socket.socket:
            return socket.create_connection(("127.0.0.1", port), 1)

        line = LineParts(runtime, Place("Redis", 0, dial), self.counts)
        self.pump = Pump(line, SECONDS, self._settle)

    def _settle(self) -> None:
        self.settled += 1

    def do(self, *command: Any) -> None:
        self.runtime.ask(lambda: self.pump.do(command, self.told.append))


@pytest.fixture
def asking(runtime: Runtime, redis_server: RedisServer) -> Iterator[Asking]:
    asking = Asking(runtime, redis_server.port)
    yield asking
    runtime.ask(asking.pump.close)


def test_what_is_asked_before_it_is_connected_is_answered_in_order(asking: Asking) -> None:
    for number in range(100):
        asking.do("ECHO", str(number))
    until(lambda: len(asking.told) == 100)
    assert asking.told == [str(number).encode() for number in range(100)]


def test_without_a_thread_to_connect_in_it_tries_again(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_job: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(asking.runtime, "spawn", refuse)
        asking.do("ECHO", "a")
    [error] = asking.told
    assert isinstance(error, BackplaneUnavailable)
    assert "new thread" in str(error)
    until(lambda: asking.pump.is_open)
    asking.do("ECHO", "b")
    until(lambda: asking.told[1:] == [b"b"])


def test_an_error_of_redis_is_the_reply_of_one_command(asking: Asking) -> None:
    asking.do("NONSENSE")
    asking.do("ECHO", "well")
    until(lambda: len(asking.told) == 2)
    assert isinstance(asking.told[0], ReplyError)
    assert asking.told[1] == b"well"


def test_who_cannot_take_his_reply_takes_nobody_elses(
    asking: Asking, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Any) -> None:
        raise ZeroDivisionError

    asking.runtime.ask(lambda: asking.pump.do(("ECHO", "one"), fail))
    asking.do("ECHO", "two")
    until(lambda: asking.told == [b"two"])
    assert "could not be taken" in caplog.text


def test_after_close_nobody_waits(asking: Asking) -> None:
    asking.do("ECHO", "one")
    asking.runtime.ask(asking.pump.close)
    asking.do("ECHO", "two")
    until(lambda: len(asking.told) == 2)
    assert isinstance(asking.told[1], BackplaneUnavailable)


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        yield server


@pytest.fixture
def slow(runtime: Runtime, server: socket.socket) -> Iterator[tuple[Asking, socket.socket]]:
    asking = Asking(runtime, server.getsockname()[1])
    runtime.ask(asking.pump.open)
    client, _ = server.accept()
    until(lambda: asking.pump.is_open)
    yield asking, client
    runtime.ask(asking.pump.close)
    client.close()


def test_who_says_nothing_in_time_is_given_up_each_time(slow: tuple[Asking, socket.socket]) -> None:
    asking, _ = slow
    for times in (1, 2):
        until(lambda: asking.pump.is_open)
        asking.do("ECHO", "one")
        until(lambda times=times: len(asking.told) == times)  # type: ignore[misc]
        assert isinstance(asking.told[-1], BackplaneUnavailable)
        assert "no reply in time" in str(asking.told[-1])


def test_who_answers_slowly_and_steadily_is_not(slow: tuple[Asking, socket.socket]) -> None:
    asking, client = slow
    for _ in range(6):
        asking.do("ECHO", "one")
    for number in range(6):
        until(lambda number=number: len(asking.told) == number)
        client.settimeout(SECONDS * 0.4)  # a third of what it has
        try:
            while client.recv(4096):
                continue
        except TimeoutError:
            client.sendall(b":1\r\n")
    until(lambda: len(asking.told) == 6)
    assert asking.told == [1] * 6


def test_an_answer_that_nobody_asked_for_ends_the_connection(
    slow: tuple[Asking, socket.socket],
) -> None:
    asking, client = slow
    client.sendall(b":1\r\n")
    until(lambda: asking.pump.trouble)
    assert "nobody asked" in str(asking.pump.trouble)
