"""RFC 6455 over real sockets, with a connection that only takes notes."""

import socket

import pytest
from websockets.frames import Close

from tests.clients.flock import masked
from tests.transports.harness import Notes
from toastkit.closing import CloseReason
from toastkit.transports.websocket import WebSocketTransport


@pytest.fixture
def make(start):
    return lambda notes=None, **settings: start(WebSocketTransport, notes, **settings)


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


def test_at_rest_a_transport_keeps_no_reader_timer_or_second_watcher(make):
    line = make()
    line.client.sendall(masked(1, b"x"))
    line.until_seen("receive", b"x")
    transport = line.transport
    assert (transport._reader, transport._timer, transport._writer) == (None, None, None)
    assert not hasattr(transport, "__dict__")
