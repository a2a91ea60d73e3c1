"""Where Redis is: what the settings say, what is refused, and what never is shown."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.backplane.redis.conftest import Hire
from tests.backplane.redis.workers import until
from tests.fakes import toast
from tests.redis import RedisServer
from toastkit.backplane.contract import Confirmation
from toastkit.backplane.redis.dial import Place
from toastkit.config import Config
from toastkit.errors import ConfigError


def place(url: str, **given: Any) -> Place:
    return Place.of(Config(redis_url=url, **given))


@pytest.mark.plain
@pytest.mark.parametrize(
    ("url", "name", "database"),
    [
        ("redis://cache:6380/3", "Redis at cache:6380", 3),
        ("redis://:pa55@cache", "Redis at cache:6379", 0),
        ("redis://ada:pa55@cache/2", "Redis at cache:6379", 2),
        ("rediss://cache:6380", "Redis at cache:6380", 0),
        ("unix:///run/redis.sock?db=4", "Redis at /run/redis.sock", 4),
    ],
)
def test_a_place_is_named_without_its_password(url: str, name: str, database: int) -> None:
    assert (place(url).name, place(url).database) == (name, database)


@pytest.mark.plain
@pytest.mark.parametrize(
    "url",
    [
        *("cache:6379", "http://:pa55@cache", "redis://:pa55@cache:port"),
        *("redis://:pa55@cache/toasts", "rediss://:pa55@cache/0/1"),
        "redis://:pa55@cache?ssl_cert_reqs=none",  # that needs rediss://
    ],
)
def test_a_url_that_names_no_redis_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigError, match="TOASTKIT_REDIS_URL") as refused:
        place(url)
    assert "pa55" not in str(refused.value)


def test_a_connection_shows_who_it_is_and_is_ours_alone(redis_server: RedisServer) -> None:
    # redis-py lends its socket: this notices when it no longer does so.
    with place(f"{redis_server.url}?protocol=3&socket_timeout=99").dial() as connected:
        connected.sendall(b"CLIENT GETNAME\r\n")
        assert connected.recv(100) == b"$8\r\ntoastkit\r\n"
        assert connected.gettimeout() == 1


def test_a_redis_that_says_nothing_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(Exception, match="Timeout"):
            place(f"redis://127.0.0.1:{port}", redis_timeout_ms=50).dial()


class Terminator:
    """Speak TLS in front of a server that does not."""

    def __init__(self, to: int, certificate: trustme.LeafCert) -> None:
        self._to = to
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self._context)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = [self._listener]
        self._run(self._accept)

    def _run(self, job: Any, *given: Any) -> None:
        threading.Thread(target=job, args=given, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self._context.wrap_socket(self._listener.accept()[0], server_side=True)
                server = socket.create_connection(("127.0.0.1", self._to))
                self._ends += [client, server]
                self._run(self._copy, client, server)
                self._run(self._copy, server, client)

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.fixture
def encrypted(redis_server: RedisServer, tmp_path: Path) -> Iterator[str]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    terminator = Terminator(redis_server.port, authority.issue_cert("127.0.0.1"))
    yield f"rediss://127.0.0.1:{terminator.port}/0?ssl_ca_certs={tmp_path / 'ca.pem'}"
    terminator.close()


def test_over_tls_everything_is_the_same(hire: Hire, encrypted: str) -> None:
    one, other = hire(), hire(redis_url=encrypted)
    for number in range(20):
        events = [
            toast(id=f"{number}-{each}", data={"data": {"text": "x" * 3000}}) for each in range(20)
        ]
        assert one.broadcast(*events) == [Confirmation(2, 2, complete=True)] * 20
    assert other.broadcast(toast()) == [Confirmation(2, 2, complete=True)]
    assert len(other.ear.heard) == 401


def test_whose_certificate_nobody_vouches_for_is_not_spoken_to(hire: Hire, encrypted: str) -> None:
    worker = hire(wait=False, redis_url=encrypted.partition("?")[0])
    until(lambda: worker.backplane.trouble)
    assert "certificate" in str(worker.backplane.trouble)
    assert worker.broadcast(toast()) == [Confirmation(1, 1)]
