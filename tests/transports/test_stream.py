"""Lines over real sockets: what a client that only reads is told, and when it is given up."""

import _socket
import json
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import control, toast
from tests.transports.harness import Notes
from toastkit.closing import CloseReason
from toastkit.config import Config
from toastkit.dialects import ToastsDialect
from toastkit.transports.frames import WebSocketFraming
from toastkit.transports.stream import LineFraming, StreamTransport, head

FRAMING = LineFraming()
DIALECT = ToastsDialect(FRAMING)


@pytest.fixture
def make(start):
    return lambda notes=None, **settings: start(StreamTransport, notes, **settings)


@given(st.text())
def test_one_event_is_one_line_whatever_it_says(title):
    line = DIALECT.event(toast(data={"title": title}, seq=1, epoch="e"))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line)["toast"]["title"] == title


@pytest.mark.parametrize("event", [toast(seq=1, epoch="e"), control("flags.changed", a="\n")])
def test_the_words_are_those_of_a_websocket(event):
    websocket = ToastsDialect(WebSocketFraming()).event(event)
    assert DIALECT.event(event)[:-1] == websocket[-len(DIALECT.event(event)) + 1 :]


@pytest.mark.parametrize("reason", list(CloseReason))
def test_a_farewell_is_a_line_with_code_and_reason(reason):
    said = json.loads(DIALECT.close(reason))
    assert said["type"] == "close"
    assert said["code"] >= 1000
    assert said["reason"] == reason.value


def test_a_heartbeat_is_a_line_of_json():
    assert json.loads(FRAMING.ping) == {"type": "heartbeat"}
    assert FRAMING.ping.endswith(b"\n")


def test_the_head_says_that_the_end_of_the_connection_is_the_end_of_the_body():
    said = [("Content-Type", "application/x-ndjson"), ("content-length", "0"), ("Vary", "Origin")]
    assert head("200 OK", said, 1_767_225_600_000) == (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nVary: Origin\r\n"
        b"Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nConnection: close\r\n\r\n"
    )


@pytest.mark.parametrize(
    "name", ["Content-Length", "Transfer-Encoding", "connection", "Keep-Alive", "Date"]
)
def test_what_the_head_says_itself_the_host_cannot_say(name):
    assert b"strange" not in head("200 OK", [(name, "strange")], 0)


def test_what_a_client_says_is_thrown_away(make):
    line = make()
    line.client.sendall(b"\r\nGET / HTTP/1.1\r\n\r\n")
    line.client.close()
    line.until_seen("closed")
    assert line.notes.seen == [("lost",), ("closed",)]


def test_who_never_stops_talking_is_ended(make):
    line = make()
    line.client.sendall(b"x" * 40_000)
    line.until_seen("end", CloseReason.PROTOCOL)
    assert len(line.notes.said("end")) == 1


def test_nothing_a_client_says_counts_as_a_sign_of_life(make):
    line = make()
    line.client.sendall(b"x")
    line.client.close()
    line.until_seen("closed")
    assert not line.notes.said("heard")


@pytest.mark.skipif(not hasattr(_socket, "TCP_USER_TIMEOUT"), reason="Linux only")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_kernel_gives_up_who_acknowledges_nothing(make, host):
    line = make()
    try:
        listener = socket.create_server(
            (host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        )
    except OSError:
        pytest.skip(f"no {host} here")
    with listener, socket.create_connection(listener.getsockname()[:2]):
        ours, _ = listener.accept()
        config, number = Config(pong_seconds=7), ours.detach()
        sock = _socket.socket(fileno=number)
        sock.setblocking(False)
        made = line.runtime.ask(lambda: StreamTransport(line.runtime, config, sock, Notes()))
        timeout = sock.getsockopt(_socket.IPPROTO_TCP, _socket.TCP_USER_TIMEOUT)
        assert timeout == 7000
        line.runtime.ask(made.abort)


def test_at_rest_it_keeps_no_timer_or_second_watcher(make):
    transport = make().transport
    assert (transport._timer, transport._writer) == (None, None)
    assert not hasattr(transport, "__dict__")
