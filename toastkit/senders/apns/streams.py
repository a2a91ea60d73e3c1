"""HTTP/2 as far as pushes need it: requests out, answers in; no sockets, no locks."""

from __future__ import annotations

import threading

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.settings import SettingCodes, Settings
from hpack import HeaderTuple, NeverIndexedHeaderTuple

from .answers import Answer
from .faults import AnswerLost, NotTaken, Refused
from .goaway import GoAway, GoAwayFrames

MAX_BODY = 65_536
"""Most of an answer that is kept; the push service's have a few dozen bytes."""

UNIQUE = frozenset({":path", "apns-id", "apns-collapse-id", "apns-expiration"})
"""Headers that are different every time: remembering them would push out what is not."""


class Stream:
    """One request, and the answer that comes; ``done`` once it has come or cannot come any more."""

    __slots__ = ("body", "done", "error", "id", "retry_after", "sent", "status", "whole")

    def __init__(self, id: int) -> None:
        self.id = id
        self.done = threading.Event()
        self.sent, self.whole = 0, False
        self.status = 0
        self.retry_after = ""
        self.body = bytearray()
        self.error: AnswerLost | NotTaken | None = None

    def answer(self) -> Answer:
        """Return what came.

        Raises:
            NotTaken: the peer has not looked at the request.
            AnswerLost: it may have.
        """
        if self.error is not None:
            raise self.error
        return Answer(self.status, bytes(self.body), self.retry_after)


class Streams:
    """Carry requests side by side; whoever calls holds the lock of the line they go over."""

    def __init__(self) -> None:
        self._h2 = H2Connection(H2Configuration(client_side=True))
        values = {SettingCodes.ENABLE_PUSH: 0, SettingCodes.MAX_HEADER_LIST_SIZE: 65_536}
        self._h2.local_settings = Settings(client=True, initial_values=values)
        self._h2.initiate_connection()
        self._goaways = GoAwayFrames()
        self._open: dict[int, Stream] = {}
        self._greeted = False
        self.answers = 0
        self.goaway: GoAway | None = None

    @property
    def room(self) -> bool:
        """Tell whether one more request may begin.

        One at a time until the peer has said how many it takes, and it says one until it has
        believed the first of us.
        """
        most = self._h2.remote_settings.max_concurrent_streams if self._greeted else 1
        return len(self._open) < most

    @property
    def idle(self) -> bool:
        """Tell whether nobody waits for an answer."""
        return not self._open

    @property
    def ending(self) -> str:
        """Return why no more requests begin, in the words of the peer if it used some."""
        words = self.goaway.words if self.goaway else ""
        return f"the connection was ending {words}".rstrip()

    def begin(self, headers: list[tuple[str, str]]) -> Stream:
        """Begin a request; its body follows."""
        stream = Stream(self._h2.get_next_available_stream_id())
        self._h2.send_headers(
            stream.id,
            [
                (NeverIndexedHeaderTuple if name in UNIQUE else HeaderTuple)(name, value)
                for name, value in headers
            ],
        )
        self._open[stream.id] = stream
        return stream

    def send(self, stream: Stream, body: bytes) -> bool:
        """Send as much of a request's body as the peer takes now; tell whether that was all."""
        while stream.sent < len(body):
            size = min(
                self._h2.local_flow_control_window(stream.id), self._h2.max_outbound_frame_size
            )
            if size <= 0:
                return False
            part = body[stream.sent : stream.sent + size]
            stream.sent += len(part)
            stream.whole = stream.sent == len(body)
            self._h2.send_data(stream.id, part, end_stream=stream.whole)
        return True

    def cancel(self, stream: Stream) -> None:
        """Wait for one answer no longer."""
        if self._open.pop(stream.id, None) is not None:
            self._h2.reset_stream(stream.id, ErrorCodes.CANCEL)
            _end(stream, AnswerLost("no answer in time", alone=True))

    def ping(self) -> None:
        """Ask for a sign of life."""
        self._h2.ping(bytes(8))

    def leave(self) -> None:
        """Take leave of the peer."""
        self._h2.close_connection()

    def taken(self) -> bytes:
        """Return what must be sent."""
        return self._h2.data_to_send()

    def receive(self, data: bytes) -> None:
        """Take what came.

        Raises:
            ProtocolError: of h2: it makes no sense.
        """
        rest, goaways = self._goaways.split(data)
        for event in self._h2.receive_data(rest):
            self._heard(event)
        for goaway in goaways:
            self.goaway = goaway
            for stream in [each for each in self._open.values() if each.id > goaway.last_stream]:
                del self._open[stream.id]
                _end(stream, NotTaken(self.ending))

    def fail(self, why: str) -> None:
        """End everything that waits for an answer: none will come."""
        while self._open:
            _end(self._open.popitem()[1], AnswerLost(why))

    def _heard(self, event: Event) -> None:
        if isinstance(event, RemoteSettingsChanged):
            self._greeted = True
        elif isinstance(event, DataReceived):
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        stream = self._open.get(getattr(event, "stream_id", None) or 0)
        if stream is None:
            return
        if isinstance(event, ResponseReceived):
            headers = dict(event.headers)
            status = headers.get(b":status", b"")
            stream.status = int(status) if status.isdigit() and len(status) == 3 else 0
            stream.retry_after = headers.get(b"retry-after", b"").decode("ascii", "replace")
        elif isinstance(event, DataReceived):
            stream.body += event.data[: MAX_BODY - len(stream.body)]
        elif isinstance(event, StreamEnded):
            del self._open[stream.id]
            self.answers += 1
            if not stream.whole:
                self._h2.reset_stream(stream.id, ErrorCodes.NO_ERROR)
            stream.done.set()
        elif isinstance(event, StreamReset):
            del self._open[stream.id]
            _end(stream, _reset(stream, event))


def _reset(stream: Stream, event: StreamReset) -> AnswerLost | NotTaken | None:
    if event.error_code == ErrorCodes.REFUSED_STREAM:
        return Refused("the stream was refused")
    # The answer may be complete all the same: nobody need listen to the rest of a request.
    if event.error_code == ErrorCodes.NO_ERROR and stream.status:
        return None
    return AnswerLost(f"the stream was reset ({event.error_code})", alone=True)


def _end(stream: Stream, error: AnswerLost | NotTaken | None) -> None:
    stream.error = error
    stream.done.set()
