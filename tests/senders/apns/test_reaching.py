"""A host is reached in time, or not at all."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from toastkit.clock import Deadline
from toastkit.senders.apns.faults import Unreachable
from toastkit.senders.apns.line import Line
from toastkit.senders.apns.reaching import reach

pytestmark = pytest.mark.plain


@pytest.fixture
def full() -> Iterator[tuple[str, int]]:
    """Return an address where nobody answers: as many wait there as may."""
    with ExitStack() as ending, socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        for _ in range(4):
            waiting = ending.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        yield address


@pytest.fixture
def there() -> Iterator[tuple[str, int]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()


def resolve(patch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> None:
    """Let every host have these addresses."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", each) for each in addresses]
    patch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def test_of_many_addresses_none_takes_the_time_of_the_others(
    monkeypatch: pytest.MonkeyPatch, full: tuple[str, int], there: tuple[str, int]
) -> None:
    resolve(monkeypatch, full, full, full, there)
    with reach("apple", 443, Deadline(0.8)) as connected:
        assert connected.getpeername() == there


def test_where_nobody_answers_the_time_is_for_all_addresses(
    monkeypatch: pytest.MonkeyPatch, full: tuple[str, int]
) -> None:
    resolve(monkeypatch, *[full] * 8)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        reach("apple", 443, Deadline(0.4))
    assert time.monotonic() - began < 2


def test_a_host_without_an_address_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve(monkeypatch)
    with pytest.raises(OSError, match="apple has no address"):
        reach("apple", 443, Deadline(1))


def test_who_drips_a_handshake_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip, args=(listener,), daemon=True).start()
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(Unreachable, match="timed out"):
            Line.connect(host, ssl.create_default_context(), 0.4)
        assert time.monotonic() - began < 2


def drip(listener: socket.socket) -> None:
    """Begin a TLS record of 16 KiB, a byte at a time."""
    connected, _ = listener.accept()
    with connected:
        try:
            connected.sendall(b"\x16\x03\x03\x40\x00")
            for _ in range(200):
                connected.sendall(b"\x02")
                time.sleep(0.05)
        except OSError:
            return
