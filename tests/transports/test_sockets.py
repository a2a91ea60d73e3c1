"""What every transport over a raw socket promises, over real sockets."""

import _socket
import socket
import struct

import pytest

from tests.transports.harness import Notes
from toastkit.config import Config
from toastkit.transports.stream import StreamTransport
from toastkit.transports.websocket import WebSocketTransport


@pytest.fixture(params=[WebSocketTransport, StreamTransport], ids=["websocket", "stream"])
def transport(request):
    return request.param


@pytest.fixture
def make(start, transport):
    return lambda notes=None, **settings: start(transport, notes, **settings)


def test_an_end_without_farewell_is_a_loss(make):
    line = make()
    line.client.close()
    line.until_seen("closed")
    assert line.notes.seen == [("lost",), ("closed",)]


def test_a_reset_is_a_loss(make, transport):
    line = make()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    sock = _socket.socket(ours.family, ours.type, ours.proto, fileno=ours.detach())
    sock.setblocking(False)
    notes = Notes()
    line.runtime.ask(lambda: transport(line.runtime, Config(), sock, notes))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    line.until(lambda: notes.seen == [("lost",), ("closed",)])


def test_a_closing_socket_is_read_until_the_client_is_done(make):
    line = make()
    line.runtime.ask(lambda: (line.transport.write(b"farewell"), line.transport.finish()))
    line.client.sendall(b"x" * 50_000)
    assert line.read(100) == b"farewell"
    assert line.read(100) == b""
    assert not line.notes.seen
    line.client.close()
    line.until_seen("closed")
    assert line.notes.seen == [("closed",)]


def test_a_client_that_does_not_close_is_left_after_close_seconds(make):
    line = make(close_seconds=1)
    line.runtime.ask(line.transport.finish)
    line.runtime.ask(line.transport.finish)
    line.until_seen("closed")
    with pytest.raises(BrokenPipeError):
        line.client.sendall(b"x" * 1_000_000)


def test_aborting_twice_is_harmless_and_told_once(make):
    line = make()
    line.runtime.ask(lambda: (line.transport.abort(), line.transport.abort()))
    line.runtime.ask(line.transport.finish)
    assert line.notes.seen == [("closed",)]


def test_writing_after_the_end_raises(make):
    line = make()
    line.runtime.ask(line.transport.abort)
    with pytest.raises(OSError, match="Bad file descriptor"):
        line.runtime.ask(lambda: line.transport.write(b"x"))


def test_a_full_socket_takes_what_fits_and_calls_back_when_there_is_room(make):
    line, data = make(), bytes(1_000_000)
    taken = line.runtime.ask(lambda: line.transport.write(data))
    assert 0 < taken < len(data)
    while count := line.runtime.ask(lambda: line.transport.write(data)):
        taken += count
    called = []

    def writable():
        called.append(1)
        line.transport.when_writable(None)

    line.runtime.ask(lambda: line.transport.when_writable(writable))
    assert not called
    while taken:
        taken -= len(line.read(65_536))
    line.until(lambda: called == [1])
    assert line.runtime.ask(lambda: line.transport.write(b"room")) == 4


def test_the_callback_comes_again_until_it_is_taken_back(make):
    line, called = make(), []
    line.runtime.ask(lambda: line.transport.when_writable(lambda: called.append(1)))
    line.until(lambda: len(called) > 2)
    line.runtime.ask(lambda: line.transport.when_writable(None))
    count = len(called)
    line.runtime.signal().wait(0.03)
    assert len(called) == count
