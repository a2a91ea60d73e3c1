"""The transport over real sockets, with a connection that only takes notes."""

import _socket
import select
import socket
import struct

import pytest
from websockets.frames import Close

from tests.clients.flock import masked
from toastkit.closing import CloseReason
from toastkit.config import Config
from toastkit.runtime import gevent_is_in_charge, runtime_for
from toastkit.transports.websocket import WebSocketTransport

RUNTIMES = ["gevent"] if gevent_is_in_charge() else ["threads", "gevent"]


class Notes:
    """Be a connection that notes what it is told and closes as a real one does."""

    id = "notes"
    ending = False
    now = 100

    def __init__(self):
        self.seen = []
        self.transport = None

    def __getattr__(self, name):
        return lambda *args: self.seen.append((name, *args))

    def said(self, name):
        return [each for each in self.seen if each[0] == name]

    def send(self, frame):
        self.transport.write(frame)
        return True

    def heard(self):
        self.seen.append(("heard",))
        return self.now

    def pinged(self, answer=None):
        self.seen.append(("pinged", answer))
        if answer is not None:
            self.send(answer)

    def end(self, reason):
        self.seen.append(("end", reason))
        self.transport.finish()

    def peer_closed(self, code):
        self.seen.append(("peer_closed", code))
        self.transport.finish()


class Line:
    """A connection, its transport on the loop, and the client's end of the socket."""

    def __init__(self, runtime, notes, config):
        self.runtime = runtime
        self.notes = notes
        ours, self.client = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        sock = _socket.socket(ours.family, ours.type, ours.proto, fileno=ours.detach())
        sock.setblocking(False)
        self.transport = runtime.ask(lambda: WebSocketTransport(runtime, config, sock, notes))
        notes.transport = self.transport

    def until(self, condition):
        for _ in range(500):
            if self.runtime.ask(condition):
                return
            self.runtime.signal().wait(0.01)
        pytest.fail(f"it never came true: {self.notes.seen}")

    def read(self, count):
        """Read as the client, while the loop goes on (it may live in this very thread)."""
        self.until(lambda: select.select([self.client], [], [], 0)[0])
        return self.client.recv(count)

    def until_seen(self, *entry):
        self.until(lambda: entry in self.notes.seen)


@pytest.fixture(params=RUNTIMES)
def make(request):
    runtime, lines = runtime_for(request.param), []

    def start(notes=None, **settings):
        lines.append(Line(runtime, notes or Notes(), Config(**settings)))
        return lines[-1]

    yield start
    for line in lines:
        runtime.ask(line.transport.abort)
        line.client.close()
    runtime.close()


def test_a_text_is_received_and_every_read_is_a_sign_of_life(make):
    line = make()
    line.client.sendall(masked(1, b"hello"))
    line.until_seen("receive", b"hello")
    assert line.notes.seen == [("heard",), ("receive", b"hello")]


def test_a_text_cut_in_two_is_received_once(make):
    line, frame = make(), masked(1, b"x" * 300)
    line.client.sendall(frame[:100])
    line.until_seen("heard")
    assert not line.notes.said("receive")
    line.client.sendall(frame[100:])
    line.until_seen("receive", b"x" * 300)


@pytest.mark.parametrize(
    "half",
    [masked(1, b"x" * 300)[:100], b"\x01\x81" + bytes(4) + b"x"],
    ids=["half a frame", "half a message"],
)
def test_a_message_that_never_ends_is_not_waited_for(make, half):
    line = make(message_seconds=10)
    more = b"x" if half[0] & 128 else masked(9, b"")
    line.client.sendall(half)
    line.until(lambda: len(line.notes.said("heard")) == 1)
    line.notes.now += 9
    line.client.sendall(more)
    line.until(lambda: len(line.notes.said("heard")) == 2)
    assert not line.notes.said("end")
    line.notes.now += 1
    line.client.sendall(more)
    line.until_seen("end", CloseReason.TOO_SLOW)


def test_who_keeps_ending_messages_may_begin_the_next_at_once(make):
    line, frame = make(message_seconds=10), masked(1, b"x" * 300)
    line.client.sendall(frame[:9])
    for count in range(1, 5):
        line.notes.now += 9
        line.client.sendall(frame[9:] + frame[:9])
        line.until(lambda: len(line.notes.said("receive")) == count)  # noqa: B023
    assert not line.notes.said("end")


def test_a_ping_is_answered_with_its_own_words(make):
    line = make()
    line.client.sendall(masked(9, b"still there?"))
    assert line.read(100) == b"\x8a\x0cstill there?"


def test_a_pong_is_heard_and_nothing_more(make):
    line = make()
    line.client.sendall(masked(10, b""))
    line.until_seen("pinged", None)
    assert line.notes.seen == [("heard",), ("pinged", None)]


def test_nothing_is_read_any_more_once_the_farewell_waits(make):
    class Ends(Notes):
        def receive(self, payload):
            self.seen.append(("receive", payload))
            self.ending = True

    line = make(Ends())
    line.client.sendall(masked(1, b"last") + masked(1, b"late") + masked(9, b"late")[:3])
    line.until_seen("receive", b"last")
    line.client.sendall(masked(9, b"late")[3:] + b"\xff" * 100)
    line.client.close()
    line.until_seen("closed")
    assert line.notes.said("receive") == [("receive", b"last")]
    assert not line.notes.said("pinged")
    assert not line.notes.said("end")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (masked(2, b"binary"), CloseReason.UNSUPPORTED),
        (b"\x81\x05Hello", CloseReason.PROTOCOL),
        (masked(1, b"\xff"), CloseReason.BAD_UTF8),
        (masked(1, b"x" * 1025), CloseReason.TOO_BIG),
    ],
)
def test_what_is_not_allowed_ends_the_connection_once(make, data, reason):
    line = make(message_bytes=1024)
    line.client.sendall(data + masked(1, b"more") + data)
    line.until_seen("end", reason)
    line.client.sendall(data)
    line.client.shutdown(socket.SHUT_WR)
    line.until_seen("closed")
    assert len(line.notes.said("end")) == 1
    assert not line.notes.said("receive")


def test_what_came_before_the_error_is_received(make):
    line = make()
    line.client.sendall(masked(1, b"good") + b"\xff\xff")
    line.until_seen("end", CloseReason.PROTOCOL)
    assert line.notes.said("receive") == [("receive", b"good")]


def test_a_failing_message_costs_its_own_connection_only(make, caplog):
    class Fails(Notes):
        def receive(self, payload):
            raise ZeroDivisionError

    line, other = make(Fails()), make()
    line.client.sendall(masked(1, b"x"))
    line.until_seen("end", CloseReason.INTERNAL)
    other.client.sendall(masked(1, b"fine"))
    other.until_seen("receive", b"fine")
    assert caplog.records[0].exc_info[0] is ZeroDivisionError


def test_the_clients_farewell_is_answered_and_nothing_after_it_counts(make):
    line = make()
    line.client.sendall(masked(8, Close(1000, "bye").serialize()) + masked(1, b"late"))
    line.until_seen("peer_closed", 1000)
    assert line.read(10) == b""
    line.client.close()
    line.until_seen("closed")
    assert not line.notes.said("receive")
    assert not line.notes.said("lost")


def test_an_end_without_farewell_is_a_loss(make):
    line = make()
    line.client.close()
    line.until_seen("closed")
    assert line.notes.seen == [("lost",), ("closed",)]


def test_a_reset_is_a_loss(make):
    line = make()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    sock = _socket.socket(ours.family, ours.type, ours.proto, fileno=ours.detach())
    sock.setblocking(False)
    notes = Notes()
    line.runtime.ask(lambda: WebSocketTransport(line.runtime, Config(), sock, notes))
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


def test_at_rest_a_transport_keeps_no_reader_timer_or_second_watcher(make):
    line = make()
    line.client.sendall(masked(1, b"x"))
    line.until_seen("receive", b"x")
    transport = line.transport
    assert (transport._reader, transport._timer, transport._writer) == (None, None, None)
    assert not hasattr(transport, "__dict__")
