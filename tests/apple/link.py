"""One connection to our Apple: TLS and HTTP/2 without a thread of its own."""

from __future__ import annotations

import heapq
import itertools
import socket
import ssl
import struct
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, Event, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError, StreamClosedError
from h2.settings import SettingCodes, Settings
from hyperframe.frame import GoAwayFrame

from tests.apple.answers import TAKEN, Answer
from tests.apple.request import Request

if TYPE_CHECKING:
    from tests.apple.server import Apple

UNSURE_SECONDS = 0.5
"""What was answered this long before a connection was reset may not have arrived."""

LINGER_SECONDS = 2.0
AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: close with a RST, and throw away what is still to be sent."""


class Link:
    """Read requests, let Apple decide, and give each its answer when that is due."""

    def __init__(self, apple: Apple, sock: socket.socket, number: int) -> None:
        self.sock, self.number, self.closed = sock, number, False
        self._apple = apple
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = apple.context
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        most = {SettingCodes.MAX_CONCURRENT_STREAMS: apple.streams_first}
        self._h2.local_settings = Settings(client=False, initial_values=most)
        self._shaken = self._trusted = False
        self._unsent = b""
        self._open: dict[int, Request] = {}
        self._done: list[Request] = []
        self._due: list[tuple[float, int, Request]] = []
        self._order = itertools.count()
        self._last: int | None = None
        self._until: float | None = None
        self._requests = 0

    @property
    def wants_to_write(self) -> bool:
        return bool(self._unsent)

    @property
    def next_due(self) -> float | None:
        """Return when something is to be done although nothing has come."""
        times = [self._due[0][0]] if self._due and not self._apple.holding else []
        return min([*times, *filter(None, [self._until])], default=None)

    def ready(self) -> None:
        """Take what has come, and give what there is room for."""
        try:
            data = self.sock.recv(1 << 16)
        except BlockingIOError:
            data = None
        except OSError:
            data = b""
        if data == b"":
            self.close()
        elif data and self._until is None:
            self._incoming.write(data)
            self._read()
        self._flush()
        self._finish_if_done()

    def tick(self, now: float) -> None:
        """Give what is due, and close what nobody is heard on any more."""
        while not self.closed and self._due and self._due[0][0] <= now and not self._apple.holding:
            self._give(heapq.heappop(self._due)[2], now)
        if self._until is not None and now >= self._until:
            self.close()
        self._flush()

    def go_away(self, last: int | None = None) -> None:
        """Take no stream above ``last`` any more (the newest); answer the others, then close."""
        if self._last is not None or self.closed or not self._shaken:
            return
        self._last = self._h2.highest_inbound_stream_id if last is None else last
        for stream in [stream for stream in self._open if stream > self._last]:
            self._open.pop(stream).answer = Answer(way="goaway")
        self._write(self._h2.data_to_send())
        self._write(GoAwayFrame(0, self._last, ErrorCodes.NO_ERROR).serialize())
        self._finish_if_done()

    def drop(self) -> None:
        """Reset the connection: whatever is on its way is lost."""
        now = time.monotonic()
        for request in self._done:
            if request.answered is None or now - request.answered < UNSURE_SECONDS:
                request.lost = True
        with suppress(OSError):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        self.close()

    def close(self) -> None:
        """Give the socket back."""
        if not self.closed:
            self.closed = True
            for request in [*self._open.values(), *(each for _, _, each in self._due)]:
                request.lost = True
            self._apple.forget(self)
            self.sock.close()

    def _read(self) -> None:
        try:
            if not self._shaken:
                self._tls.do_handshake()
                self._shaken = True
                if self._tls.selected_alpn_protocol() != "h2":
                    self._apple.complain("no ALPN h2")
                self._h2.initiate_connection()
            while not self.closed and (data := self._tls.read(1 << 16)):
                for event in self._h2.receive_data(data):
                    if not self.closed:  # what comes behind a reset was never there
                        self._happened(event)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:  # nobody trusts us, or a farewell
            self._flush()
            self.close()
        except ProtocolError as error:
            self._apple.complain(repr(error))
            self._write(self._h2.data_to_send())
            self._flush()
            self.close()
        if not self.closed and self._shaken:
            self._write(self._h2.data_to_send())

    def _happened(self, event: Event) -> None:
        match event:
            case RequestReceived():
                self._begin(event)
            case DataReceived():
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                if event.stream_id in self._open:
                    self._open[event.stream_id].parts.append(event.data)
            case StreamEnded() if event.stream_id in self._open:
                self._end(self._open[event.stream_id])
            case StreamReset() if event.stream_id in self._open:
                self._open.pop(event.stream_id).lost = True

    def _begin(self, event: RequestReceived) -> None:
        if self._last is not None and event.stream_id > self._last:
            return
        names = [name for name, _ in event.headers]
        doubled = frozenset(name for name in names if names.count(name) > 1)
        self._open[event.stream_id] = Request(
            link=self.number,
            stream=event.stream_id,
            headers=dict(event.headers),
            doubled=doubled,
        )

    def _end(self, request: Request) -> None:
        request.body, request.at = b"".join(request.parts), time.monotonic()
        self._requests += 1
        self._apple.busiest = max(self._apple.busiest, len(self._open))
        answer = self._apple.arrived(request)
        if answer.way == "goaway":
            self.go_away(max(0, request.stream - 2))
            return
        self._done.append(request)
        due = request.at + answer.seconds + self._apple.latency
        heapq.heappush(self._due, (due, next(self._order), request))
        every = self._apple.goaway_every
        if every and self._requests == every:
            self.go_away(request.stream)
        self.tick(request.at)

    def _give(self, request: Request, now: float) -> None:
        if self._open.pop(request.stream, None) is None:
            return
        answer = request.answer or TAKEN
        with suppress(StreamClosedError):  # it was reset just now
            if answer.way == "answer":
                self._answer(request, answer)
                request.answered, request.late = now, self._last is not None
            elif answer.way == "reset":
                self._h2.reset_stream(request.stream, ErrorCodes.INTERNAL_ERROR)
                request.lost = True
            elif answer.way == "refuse":
                self._h2.reset_stream(request.stream, ErrorCodes.REFUSED_STREAM)
        if answer.way in {"silence", "drop"}:
            request.lost = True
        self._write(self._h2.data_to_send())
        if answer.way == "drop":
            self.drop()
        self._finish_if_done()

    def _answer(self, request: Request, answer: Answer) -> None:
        content = answer.content()
        headers = answer.headers(request.id)
        self._h2.send_headers(request.stream, headers, end_stream=not content)
        if content:
            self._h2.send_data(request.stream, content, end_stream=True)
        if answer.status == 200 and not self._trusted:
            self._trusted = True
            self._h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: self._apple.streams})

    def _finish_if_done(self) -> None:
        if self._last is None or self._open or self.closed or self._until is not None:
            return
        self._flush()
        if self._unsent or self.closed:
            return
        with suppress(OSError):  # the other side has been faster
            self.sock.shutdown(socket.SHUT_WR)
        self._until = time.monotonic() + LINGER_SECONDS

    def _write(self, data: bytes) -> None:
        if not self.closed and data:
            self._tls.write(data)

    def _flush(self) -> None:
        # Behind the end of what is sent nothing may follow: it would reset the connection, and
        # destroy what is on its way.
        if self.closed or self._until is not None:
            return
        self._unsent += self._outgoing.read()
        if not self._unsent:
            return
        with suppress(BlockingIOError):
            try:
                self._unsent = self._unsent[self.sock.send(self._unsent) :]
            except BlockingIOError:
                raise
            except OSError:
                self.close()
