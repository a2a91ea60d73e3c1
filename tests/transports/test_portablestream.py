"""Lines as the body of a response, read here as a server does: in a thread of its own."""

import threading

import pytest

from tests.transports.harness import RUNTIMES
from toastkit.runtime import runtime_for
from toastkit.transports.portablestream import ROOM, PortableStream


class Held:
    """Be a connection that greets, and ends as a real one does."""

    def __init__(self):
        self.seen = []
        self.transport = None

    def open(self, transport):
        self.transport = transport
        self.seen.append("open")
        transport.write(b"greeting\n")

    def lost(self):
        self.seen.append("lost")
        if self.transport is not None:
            self.transport.abort()

    def closed(self):
        self.seen.append("closed")


@pytest.fixture(params=RUNTIMES)
def runtime(request):
    runtime = runtime_for(request.param)
    yield runtime
    runtime.close()


@pytest.fixture
def held():
    return Held()


@pytest.fixture
def stream(runtime, held):
    return PortableStream(runtime, held)


def settle(runtime):
    """Wait until the loop has done what it was told so far."""
    done = runtime.signal()
    runtime.call(done.set)
    assert done.wait(5)


def test_nothing_happens_before_the_server_asks(stream, held, runtime):
    iter(stream)
    settle(runtime)
    assert held.seen == []


def test_what_is_said_is_the_body_until_it_has_been_said(stream, held, runtime):
    body = iter(stream)
    assert next(body) == b"greeting\n"
    runtime.ask(lambda: (stream.write(b"one\n"), stream.write(b"two\n"), stream.finish()))
    assert list(body) == [b"one\ntwo\n"]
    stream.close()
    settle(runtime)
    assert held.seen == ["open", "closed"]


def test_a_body_waits_for_what_is_said_next(stream, runtime):
    body = iter(stream)
    next(body)
    runtime.call_later(0.05, lambda: stream.write(b"later\n"))
    assert next(body) == b"later\n"
    stream.close()


def test_a_server_that_closes_it_has_lost_its_client(stream, held, runtime):
    body = iter(stream)
    next(body)
    stream.close()
    settle(runtime)
    assert held.seen == ["open", "lost", "closed"]
    with pytest.raises(OSError, match="ended"):
        runtime.ask(lambda: stream.write(b"x"))


def test_a_client_that_left_before_the_first_line_is_lost(stream, held, runtime):
    stream.close()
    settle(runtime)
    assert held.seen == ["lost", "closed"]


def test_a_connection_that_is_lost_ends_the_body_at_once(stream, held, runtime):
    body = iter(stream)
    next(body)
    runtime.ask(lambda: stream.write(b"never told\n"))
    runtime.ask(held.lost)
    assert list(body) == []
    stream.close()
    settle(runtime)
    assert held.seen == ["open", "lost", "closed"]


def test_a_slow_server_fills_the_connections_own_buffer(stream, runtime):
    body, called = iter(stream), []
    next(body)
    settle(runtime)
    assert runtime.ask(lambda: stream.write(bytes(ROOM - 1))) == ROOM - 1
    assert runtime.ask(lambda: stream.write(b"xx")) == 0
    runtime.ask(lambda: stream.when_writable(lambda: called.append(1)))
    settle(runtime)
    assert called == []
    assert len(next(body)) == ROOM - 1
    settle(runtime)
    assert called == [1]
    assert runtime.ask(lambda: stream.write(b"xx")) == 2
    stream.close()


def test_one_frame_larger_than_the_room_goes_when_nothing_else_waits(stream, runtime):
    body = iter(stream)
    next(body)
    assert runtime.ask(lambda: stream.write(bytes(3 * ROOM))) == 3 * ROOM
    assert len(next(body)) == 3 * ROOM
    stream.close()


def test_who_wants_to_know_of_room_is_told_when_there_is_some(stream, runtime):
    body, called = iter(stream), []
    next(body)
    settle(runtime)
    runtime.ask(lambda: stream.when_writable(lambda: called.append(1)))
    settle(runtime)
    assert called == [1]
    runtime.ask(lambda: stream.when_writable(None))
    stream.close()


@pytest.mark.skipif("threads" not in RUNTIMES, reason="threads that are none")
def test_a_thousand_lines_arrive_whole_and_in_order():
    runtime, held = runtime_for("threads"), Held()
    stream, heard = PortableStream(runtime, held), []
    reader = threading.Thread(target=lambda: heard.extend(stream))
    reader.start()
    for number in range(1000):
        runtime.call(stream.write, b"%d\n" % number)
    runtime.call(stream.finish)
    reader.join(10)
    assert not reader.is_alive()
    said = b"".join(heard).split()
    assert said == [b"greeting", *(b"%d" % number for number in range(1000))]
    runtime.close()
