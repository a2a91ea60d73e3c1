"""One connection serves everybody at once, and its end loses nothing."""

from __future__ import annotations

import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived
from h2.settings import SettingCodes, Settings

from tests.apple.answers import Answer
from tests.apple.server import Apple
from tests.senders.apns.conftest import Make
from tests.senders.apns.pushes import TOKEN, delivery, device
from toastkit.deliveries import Outcome, Sent
from toastkit.senders.apns import ApnsSender
from toastkit.senders.apns import line as line_module
from toastkit.senders.apns.faults import AnswerLost
from toastkit.senders.apns.line import Line

CROWD = 64


@contextmanager
def restless() -> Iterator[None]:
    """Have threads take turns as often as under our gunicorn hooks."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0001)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def push(sender: ApnsSender, number: int) -> Outcome:
    """Post a push to a phone of its own; its body needs room."""
    to = device(f"{number:064x}", device_id=f"phone{number}")
    return sender.post(delivery(to, body="x" * 1800))


def crowd(sender: ApnsSender, many: int) -> set[Outcome]:
    with restless(), ThreadPoolExecutor(CROWD) as threads:
        return set(threads.map(lambda number: push(sender, number), range(many)))


def eventually(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_many_threads_share_a_connection(apple: Apple, sender: ApnsSender) -> None:
    assert crowd(sender, 500) == {Sent("200")}
    assert apple.connections == 1
    assert set(apple.taken().values()) == {1}
    assert apple.faults() == []


def test_A29_farewells_lose_nothing_and_repeat_nothing(apple: Apple, sender: ApnsSender) -> None:
    apple.goaway_every = 17
    assert crowd(sender, 300) == {Sent("200")}
    assert len(apple.taken()) == 300
    assert set(apple.taken().values()) == {1}
    assert apple.faults() == []


def test_A29_what_is_under_way_at_a_farewell_is_answered(apple: Apple, sender: ApnsSender) -> None:
    push(sender, 0)
    apple.hold()
    with ThreadPoolExecutor(9) as threads:
        under_way = [threads.submit(push, sender, number) for number in range(1, 9)]
        apple.wait(9)
        apple.go_away()
        # What comes now goes elsewhere, and waits for nobody.
        late = threads.submit(push, sender, 9)
        apple.wait(10)
        apple.release()
        assert {each.result() for each in [*under_way, late]} == {Sent("200")}
    assert [request.link for request in apple.requests] == [1] * 9 + [2]


def test_A29_one_stream_until_the_first_answer(apple: Apple, sender: ApnsSender) -> None:
    apple.hold()
    with ThreadPoolExecutor(20) as threads:
        pushes = [threads.submit(push, sender, number) for number in range(20)]
        apple.wait(1)
        apple.release()
        assert {each.result() for each in pushes} == {Sent("200")}
    assert (apple.connections, apple.faults()) == (1, [])


def test_no_more_at_once_than_the_other_side_takes(apple: Apple, sender: ApnsSender) -> None:
    apple.streams = 5
    push(sender, 0)
    apple.always(Answer(seconds=0.02))
    assert crowd(sender, 100) == {Sent("200")}
    assert apple.busiest <= 5
    assert (apple.connections, apple.faults()) == (1, [])


def test_A29_one_that_gets_no_answer_holds_up_no_other(apple: Apple, make: Make) -> None:
    sender = make(seconds=0.6)
    push(sender, 0)
    apple.script(TOKEN, Answer(way="silence"))
    with ThreadPoolExecutor(1) as thread:
        silent = thread.submit(sender.post, delivery())
        numbers = iter(range(1, 100_000))
        while not silent.done():
            assert push(sender, next(numbers)) == Sent("200")
        assert silent.result() == Sent("200")
    assert (apple.connections, apple.faults()) == (1, [])


def test_A29_a_dropped_connection_takes_nobody_with_it(apple: Apple, sender: ApnsSender) -> None:
    push(sender, 0)
    apple.hold()
    with ThreadPoolExecutor(30) as threads:
        pushes = [threads.submit(push, sender, number) for number in range(1, 31)]
        apple.wait(31)
        apple.drop()
        apple.release()
        assert {each.result() for each in pushes} == {Sent("200")}
    assert apple.connections == 2
    same = {(request.id, str(request.sent)) for request in apple.requests}
    assert len(same) == 31


def test_an_idle_connection_that_is_dropped_is_noticed(apple: Apple, sender: ApnsSender) -> None:
    push(sender, 0)
    line = sender._lines.line(apple.host)
    apple.drop()
    eventually(lambda: not line.usable)
    assert push(sender, 1) == Sent("200")
    assert len(apple.requests) == 2


def test_a_quiet_connection_is_asked_for_a_sign_of_life(
    apple: Apple, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_module, "QUIET_ROUNDS", 1)
    sender = make(seconds=0.4)
    push(sender, 0)
    line = sender._lines.line(apple.host)
    threading.Event().wait(1)  # twice as long as it may be quiet
    assert line.usable
    apple.freeze()
    eventually(lambda: not line.usable)
    apple.thaw()
    assert push(sender, 1) == Sent("200")


def test_a_connection_that_has_no_stream_left_is_followed_by_another(
    apple: Apple, sender: ApnsSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_module, "LAST_STREAM", 5)
    assert {push(sender, number) for number in range(7)} == {Sent("200")}
    assert [request.link for request in apple.requests] == [1, 1, 1, 2, 2, 2, 3]


def test_closing_waits_for_what_is_under_way(apple: Apple, sender: ApnsSender) -> None:
    push(sender, 0)
    apple.hold()
    with ThreadPoolExecutor(1) as thread:
        under_way = thread.submit(push, sender, 1)
        apple.wait(2)
        sender.close()
        apple.release()
        assert under_way.result() == Sent("200")
    eventually(lambda: not reading())
    assert apple.faults() == []


def test_closing_ends_a_connection_that_nobody_uses(apple: Apple, sender: ApnsSender) -> None:
    push(sender, 0)
    line = sender._lines.line(apple.host)
    sender.close()
    eventually(lambda: line._ended)
    assert apple.faults() == []


def reading() -> list[Any]:
    return [each for each in threading.enumerate() if each.name == "toastkit-apns"]


class Broken:
    """A socket to somebody who hung up, but has said something before; TLS is left out."""

    def __init__(self) -> None:
        self.said: SimpleQueue[bytes] = SimpleQueue()
        self.written: list[bytes] = []
        self.broken = threading.Event()

    def sendall(self, data: bytes) -> None:
        if self.broken.is_set():
            raise BrokenPipeError
        self.written.append(data)

    def recv(self, _size: int) -> bytes:
        return self.said.get()

    def shutdown(self, _how: int) -> None:
        self.said.put(b"")

    def close(self) -> None:
        """Nothing to give back."""

    def encrypt(self, data: bytes) -> bytes:
        return data

    def decrypt(self, data: bytes) -> tuple[bytes, bool]:
        return data, True


def test_A29_what_was_answered_before_a_hangup_is_heard() -> None:
    """Else a push would ring again whose answer lies there to be read."""
    peer = H2Connection(H2Configuration(client_side=False))
    peer.initiate_connection()
    broken: Any = Broken()
    line = Line("localhost", broken, broken, 5)
    with ThreadPoolExecutor(2) as threads:
        broken.said.put(peer.data_to_send())
        answered = threads.submit(line.ask, "/3/device/a1", [], b"{}")
        eventually(lambda: peer.open_inbound_streams or take(peer, broken))
        broken.broken.set()
        peer.send_headers(1, [(":status", "200")], end_stream=True)
        unheard = threads.submit(line.ask, "/3/device/b2", [], b"{}")
        eventually(lambda: not line.usable)
        broken.said.put(peer.data_to_send())
        broken.said.put(b"")
        assert answered.result().status == 200
        with pytest.raises(AnswerLost):
            unheard.result()


def take(peer: H2Connection, broken: Broken) -> None:
    while broken.written:
        peer.receive_data(broken.written.pop(0))


def test_one_that_is_to_end_does_so_with_the_last_that_waits_in_vain() -> None:
    peer = H2Connection(H2Configuration(client_side=False))
    peer.initiate_connection()
    wire: Any = Broken()
    line = Line("localhost", wire, wire, 1.5)
    wire.said.put(peer.data_to_send())
    eventually(lambda: line._streams._greeted)
    with ThreadPoolExecutor(2) as threads:
        silent = threads.submit(line.ask, "/3/device/a1", [], b"{}")
        eventually(lambda: peer.open_inbound_streams == 1 or take(peer, wire))
        answered = threads.submit(line.ask, "/3/device/b2", [], b"{}")
        eventually(lambda: peer.open_inbound_streams == 2 or take(peer, wire))
        peer.send_headers(3, [(":status", "200")], end_stream=True)
        wire.said.put(peer.data_to_send())
        assert answered.result().status == 200
        line.retire()
        assert not line._ended
        with pytest.raises(AnswerLost):
            silent.result()
    eventually(lambda: line._ended)


def test_what_came_with_the_end_of_the_handshake_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    peer = H2Connection(H2Configuration(client_side=False))
    peer.initiate_connection()
    wire: Any = Broken()
    early = [peer.data_to_send()]
    monkeypatch.setattr(wire, "decrypt", lambda data: (early.pop() if early else data, True))
    line = Line("localhost", wire, wire, 5)
    eventually(lambda: line._streams._greeted)
    wire.said.put(b"")


def test_a_body_waits_until_the_other_side_has_room_for_it() -> None:
    peer = H2Connection(H2Configuration(client_side=False))
    few = {SettingCodes.INITIAL_WINDOW_SIZE: 40}
    peer.local_settings = Settings(client=False, initial_values=few)
    peer.initiate_connection()
    wire: Any = Broken()
    line, body = Line("localhost", wire, wire, 5), bytearray()
    wire.said.put(peer.data_to_send())
    eventually(lambda: line._streams._greeted)
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(line.ask, "/3/device/a1", [], b"x" * 100)
        while len(body) < 100:
            eventually(lambda: wire.written)
            for event in peer.receive_data(wire.written.pop(0)):
                if isinstance(event, DataReceived):
                    body += event.data
                    peer.increment_flow_control_window(len(event.data), event.stream_id)
            if room := peer.data_to_send():
                wire.said.put(room)
        peer.send_headers(1, [(":status", "200")], end_stream=True)
        wire.said.put(peer.data_to_send())
        assert asked.result().status == 200
    wire.said.put(b"")


def test_who_talks_but_never_makes_room_is_left_after_a_while() -> None:
    peer = H2Connection(H2Configuration(client_side=False))
    few = {SettingCodes.INITIAL_WINDOW_SIZE: 40}
    peer.local_settings = Settings(client=False, initial_values=few)
    peer.initiate_connection()
    wire: Any = Broken()
    line = Line("localhost", wire, wire, 0.2)
    wire.said.put(peer.data_to_send())
    eventually(lambda: line._streams._greeted)
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(line.ask, "/3/device/a1", [], b"x" * 100)
        until = time.monotonic() + 5
        while not asked.done():
            assert time.monotonic() < until
            peer.ping(bytes(8))
            wire.said.put(peer.data_to_send())
            threading.Event().wait(0.02)
        with pytest.raises(AnswerLost):
            asked.result()


def test_nobody_begins_on_what_has_just_turned_out_to_make_no_sense(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wire: Any = Broken()
    line = Line("localhost", wire, wire, 5)
    eventually(lambda: wire.written)
    told, flush = [], line._flush

    def look() -> None:
        if not line._ended:
            told.append(line.usable)
        flush()

    monkeypatch.setattr(line, "_flush", look)
    wire.said.put(bytes([0, 0, 0, 0, 0, 0, 0, 0, 1]))  # a body that nobody has asked for
    eventually(lambda: line._ended)
    assert told == [False]


def test_what_cannot_be_put_into_words_is_lost_like_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wire: Any = Broken()
    line = Line("localhost", wire, wire, 5)
    eventually(lambda: wire.written)

    def fail(_data: bytes) -> bytes:
        wire.said.put(b"")
        raise ssl.SSLError("protocol is shutdown")

    monkeypatch.setattr(wire, "encrypt", fail)
    with pytest.raises(AnswerLost):
        line.ask("/3/device/a1", [], b"{}")
