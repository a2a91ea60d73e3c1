"""A client that asks without end has its turn, and so has everybody else."""

import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest

pytestmark = pytest.mark.plain

ASKED = b"GET /v1/toasts HTTP/1.1\r\nHost: toasts\r\n\r\n"
"""Refused at once: nothing that serves it ever waits for anything."""

CHUNKED = b"POST /auth/anonymous HTTP/1.1\r\nHost: toasts\r\nTransfer-Encoding: chunked\r\n\r\n"
LONG = b"POST /auth/anonymous HTTP/1.1\r\nHost: toasts\r\nContent-Length: 99999999999\r\n\r\n"


@contextmanager
def sending(server, first, rest):
    """Send something again and again, as fast as the server takes it, and read what it answers."""
    client = socket.create_connection(server.address, timeout=30)
    over = threading.Event()

    def send():
        try:
            client.sendall(first)
            while not over.is_set():
                client.sendall(rest)
        except OSError:
            over.set()

    def read():
        try:
            while client.recv(1 << 20):
                pass
        except OSError:
            pass

    threads = [threading.Thread(target=job) for job in (send, read)]
    for thread in threads:
        thread.start()
    try:
        yield over
    finally:
        over.set()
        with suppress(OSError):  # the server may have ended it
            client.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        client.close()


def wait(server):
    """Return how long somebody else waits for an answer, in seconds."""
    began = time.monotonic()
    assert server.request("GET", "/health")[0] == 200
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("first", "rest"),
    [
        (ASKED, ASKED * 200),
        (LONG, b"x" * 65_536),
        (CHUNKED, b"4000\r\n" + b"x" * 16_384 + b"\r\n"),
        (CHUNKED, b"1\r\nx\r\n" * 10_000),
    ],
    ids=["requests", "one body", "chunks", "tiny chunks"],
)
def test_who_asks_without_end_holds_nobody_up(serve, first, rest):
    server = serve("gevent")
    with sending(server, first, rest):
        time.sleep(0.2)  # it is at full speed
        assert max(wait(server) for _ in range(5)) < 5  # on a busy machine; else it is 20


def test_a_body_nobody_reads_is_not_read_to_its_end(serve):
    server = serve("gevent")
    with sending(server, LONG, b"x" * 65_536) as over:
        assert over.wait(10)


def test_a_refused_body_that_ends_leaves_the_connection_as_it_was(serve):
    server = serve("gevent")
    with socket.create_connection(server.address, timeout=10) as client:
        size = 200_000
        client.sendall(LONG.replace(b"99999999999", b"%d" % size) + b"x" * size)
        client.sendall(b"GET /health HTTP/1.1\r\nHost: toasts\r\nConnection: close\r\n\r\n")
        with client.makefile("rb") as answers:
            said = answers.read()
    assert said.startswith(b"HTTP/1.1 413")
    assert b"HTTP/1.1 200 OK" in said
