"""One connection: bytes in and out as a socket gives and takes them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hiredis import ReplyError

from tests.backplane.redis.workers import until
from toastkit.backplane.redis import link
from toastkit.backplane.redis.link import Hearer, Link
from toastkit.runtime.contract import Runtime


class End:
    """The other end, and what the link says of it."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        mine, self.socket = socket.socketpair()
        self.replies: list[Any] = []
        self.broken: list[str] = []
        hearer = Hearer(self.replies.extend, self.broken.append)
        self.link = runtime.ask(lambda: Link(mine, runtime, hearer))

    def send(self, *command: Any) -> None:
        self.runtime.ask(lambda: self.link.send(*command))

    def take(self, size: int) -> bytes:
        taken = b""
        while len(taken) < size:
            taken += self.socket.recv(size - len(taken))
        return taken


@pytest.fixture
def end(runtime: Runtime) -> Iterator[End]:
    end = End(runtime)
    yield end
    runtime.ask(end.link.close)
    end.socket.close()


def test_commands_of_one_turn_go_out_in_order(end: End) -> None:
    def turn() -> None:
        end.link.send("GET", b"a")
        end.link.send("INCRBY", "b", 2)

    end.runtime.ask(turn)
    expected = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n*3\r\n$6\r\nINCRBY\r\n$1\r\nb\r\n$1\r\n2\r\n"
    assert end.take(len(expected)) == expected


def test_replies_come_in_order_however_they_are_cut(end: End) -> None:
    for byte in b":1\r\n$3\r\nabc\r\n-ERR no\r\n*2\r\n:1\r\n$-1\r\n":
        end.socket.sendall(bytes([byte]))
    until(lambda: len(end.replies) == 4)
    assert end.replies[:2] == [1, b"abc"]
    assert isinstance(end.replies[2], ReplyError)
    assert end.replies[3] == [1, None]


def test_what_the_kernel_does_not_take_goes_out_later(end: End) -> None:
    large, stops = b"x" * 5_000_000, list[None]()
    watch = end.link._writable
    told = {"start": watch.start, "stop": lambda: stops.append(watch.stop()), "close": watch.close}
    end.link._writable = cast("Any", SimpleNamespace(**told))
    end.send("SET", "a", large)
    head = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$5000000\r\n"
    assert end.take(len(head) + len(large) + 2) == head + large + b"\r\n"
    end.send("PING")
    assert end.take(14) == b"*1\r\n$4\r\nPING\r\n"
    until(lambda: stops)  # or the loop would call it for ever


def test_who_does_not_read_is_given_up(end: End, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "BACKLOG", 1_000_000)
    for _ in range(40):
        end.send("SET", "a", b"x" * 100_000)
    assert end.broken == ["it does not read"]


@pytest.mark.parametrize(
    ("said", "why"),
    [(b"", "it closed the connection"), (b"HTTP/1.1 400 Bad\r\n", "it is no Redis")],
)
def test_who_ends_or_speaks_another_language_is_given_up_once(
    end: End, said: bytes, why: str
) -> None:
    end.socket.sendall(said)
    if not said:
        end.socket.close()
    until(lambda: end.broken)
    assert [each.startswith(why) for each in end.broken] == [True]
    end.send("PING")
    end.runtime.ask(lambda: end.link.break_off("again"))
    assert len(end.broken) == 1
