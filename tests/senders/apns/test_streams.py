"""Requests and answers side by side, as far as HTTP/2 allows."""

from __future__ import annotations

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, Event, RequestReceived, StreamEnded
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from hpack import NeverIndexedHeaderTuple
from hyperframe.frame import GoAwayFrame

from toastkit.senders.apns.answers import Answer
from toastkit.senders.apns.faults import AnswerLost, NotTaken, Unanswered
from toastkit.senders.apns.streams import MAX_BODY, Stream, Streams

pytestmark = pytest.mark.plain

HEADERS = [
    (":method", "POST"),
    (":scheme", "https"),
    (":authority", "localhost"),
    (":path", "/3/device/a1"),
    ("apns-id", "one"),
    ("apns-topic", "com.example.app"),
]


class Peer:
    """The other side, in memory."""

    def __init__(self, **settings: int) -> None:
        self.streams = Streams()
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        values = {SettingCodes[name]: value for name, value in settings.items()}
        self.h2.local_settings = Settings(client=False, initial_values=values)
        self.h2.initiate_connection()

    def talk(self) -> list[Event]:
        """Carry everything to and fro; return what the other side heard."""
        heard: list[Event] = []
        while True:
            there, back = self.streams.taken(), self.h2.data_to_send()
            if not there and not back:
                return heard
            heard += self.h2.receive_data(there)
            self.streams.receive(back)

    def begin(self, body: bytes = b"{}") -> Stream:
        stream = self.streams.begin(HEADERS)
        self.streams.send(stream, body)
        return stream

    def answer(self, stream: Stream, status: str = "200", body: bytes = b"", **more: str) -> None:
        named = [(name.replace("_", "-"), value) for name, value in more.items()]
        self.h2.send_headers(stream.id, [(":status", status), *named], end_stream=not body)
        if body:
            self.h2.send_data(stream.id, body, end_stream=True)
        self.talk()


@pytest.fixture
def peer() -> Peer:
    peer = Peer()
    peer.talk()
    return peer


def test_one_goes_first_until_the_other_side_has_said_how_many_may() -> None:
    peer = Peer(MAX_CONCURRENT_STREAMS=2)
    assert peer.streams.room
    peer.begin()
    assert not peer.streams.room
    peer.talk()
    assert peer.streams.room
    peer.begin()
    assert not peer.streams.room


def test_as_many_go_as_the_other_side_says_by_now(peer: Peer) -> None:
    first = peer.begin()
    peer.h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 1})
    peer.talk()
    assert not peer.streams.room
    peer.answer(first)
    assert peer.streams.room


def test_a_body_goes_as_the_other_side_makes_room() -> None:
    peer = Peer(INITIAL_WINDOW_SIZE=100)
    peer.talk()
    stream, body = peer.streams.begin(HEADERS), b"x" * 250
    heard: list[Event] = []
    while not peer.streams.send(stream, body):
        heard += peer.talk()
        peer.h2.increment_flow_control_window(100, stream.id)
        heard += peer.talk()
    heard += peer.talk()
    assert b"".join(each.data for each in heard if isinstance(each, DataReceived)) == body
    assert isinstance(heard[-1], StreamEnded)


def test_an_answer_is_read(peer: Peer) -> None:
    stream = peer.begin()
    peer.talk()
    peer.answer(stream, "503", b'{"reason":"Shutdown"}', retry_after="7")
    assert stream.done.is_set()
    assert stream.answer() == Answer(503, b'{"reason":"Shutdown"}', "7")
    assert peer.streams.idle


@pytest.mark.parametrize("status", ["9" * 6000, "abc", "-20", "20"])
def test_a_status_that_is_none_is_no_answer(peer: Peer, status: str) -> None:
    stream = peer.begin()
    peer.talk()
    peer.h2.config.validate_outbound_headers = False
    peer.answer(stream, status)
    peer.talk()
    assert stream.answer().status == 0


def test_an_endless_answer_is_kept_in_part(peer: Peer) -> None:
    stream = peer.begin()
    peer.talk()
    peer.h2.send_headers(stream.id, [(":status", "200")])
    for _ in range(40):
        peer.h2.send_data(stream.id, b"x" * 4000)
        peer.talk()
    peer.h2.end_stream(stream.id)
    peer.talk()
    assert len(stream.answer().body) == MAX_BODY


def test_what_is_different_every_time_is_not_remembered(peer: Peer) -> None:
    peer.begin()
    (request,) = [each for each in peer.talk() if isinstance(each, RequestReceived)]
    secret = {str(each[0]) for each in request.headers if isinstance(each, NeverIndexedHeaderTuple)}
    assert secret == {":path", "apns-id"}


def test_A29_after_a_farewell_what_was_taken_is_still_answered(peer: Peer) -> None:
    taken, not_taken = peer.begin(), peer.begin()
    peer.talk()
    peer.streams.receive(GoAwayFrame(0, taken.id, 0, b'{"reason":"Shutdown"}').serialize())
    assert not_taken.done.is_set()
    with pytest.raises(NotTaken, match=r'ending \{"reason":"Shutdown"\}'):
        not_taken.answer()
    assert not taken.done.is_set()
    peer.answer(taken)
    assert taken.answer() == Answer(200)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (ErrorCodes.REFUSED_STREAM, NotTaken),
        (ErrorCodes.INTERNAL_ERROR, AnswerLost),
        (ErrorCodes.NO_ERROR, AnswerLost),
    ],
)
def test_A29_a_stream_that_is_reset_has_no_answer(
    peer: Peer, code: ErrorCodes, error: type[Unanswered]
) -> None:
    stream, another = peer.begin(), peer.begin()
    peer.talk()
    peer.h2.reset_stream(stream.id, code)
    peer.talk()
    with pytest.raises(error) as caught:
        stream.answer()
    assert caught.value.away == (error is NotTaken)
    peer.answer(another)
    assert another.answer() == Answer(200)


def test_an_answer_may_come_before_the_whole_request() -> None:
    peer = Peer(INITIAL_WINDOW_SIZE=10)
    peer.talk()
    stream = peer.begin(b"x" * 100)
    peer.talk()
    peer.h2.send_headers(stream.id, [(":status", "413")], end_stream=True)
    peer.talk()
    assert stream.answer() == Answer(413)
    assert peer.h2.open_inbound_streams == 0


def test_who_gave_up_hears_no_answer(peer: Peer) -> None:
    stream = peer.begin()
    peer.talk()
    peer.streams.cancel(stream)
    with pytest.raises(AnswerLost) as caught:
        stream.answer()
    assert not caught.value.away
    peer.talk()
    another = peer.begin()
    peer.talk()
    peer.answer(another)
    assert another.answer() == Answer(200)


def test_an_answer_that_was_under_way_when_one_gave_up_does_no_harm(peer: Peer) -> None:
    stream = peer.begin()
    peer.talk()
    peer.h2.send_headers(stream.id, [(":status", "200")])
    peer.h2.send_data(stream.id, b"{}", end_stream=True)
    peer.streams.cancel(stream)
    peer.streams.receive(peer.h2.data_to_send())
    assert peer.streams.room


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 64])
def test_what_makes_no_sense_ends_it(said: bytes) -> None:
    with pytest.raises(ProtocolError):
        Streams().receive(said)
