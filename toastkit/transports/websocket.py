"""Speak RFC 6455 over a socket that is ours alone."""

from __future__ import annotations

import _socket
import logging

from ..closing import CloseReason
from ..config import Config
from ..live import Connection
from ..runtime.contract import Runtime
from .frames import CLOSE, PING, PONG, TEXT, Frame, FrameError, FrameReader, WebSocketFraming
from .sockets import SocketTransport

log = logging.getLogger(__name__)
_framing = WebSocketFraming()


class WebSocketTransport(SocketTransport):
    """Read a client's frames as messages and control frames; a reader exists while one is half read."""

    __slots__ = ("_reader",)

    def __init__(
        self, runtime: Runtime, config: Config, sock: _socket.socket, connection: Connection
    ) -> None:
        super().__init__(runtime, config, sock, connection)
        self._reader: FrameReader | None = None

    def _read(self, connection: Connection, data: bytes) -> None:
        now, config = connection.heard(), self._config
        reader = self._reader
        if reader is None:
            reader = FrameReader(config.message_bytes, config.message_fragments, now)
        try:
            for frame in reader.feed(data):
                if frame[0] == TEXT:
                    reader.since = now
                self._take(connection, frame)
                if self._deaf or connection.ending:
                    return
        except FrameError as error:
            self._deaf = True
            connection.end(error.reason)
        except Exception:
            # Whatever one client's message broke, it costs that client its connection only.
            log.exception("a message of connection %s failed", connection.id)
            self._deaf = True
            connection.end(CloseReason.INTERNAL)
        else:
            self._reader = None if reader.idle else reader
            if self._reader is not None and now - reader.since >= config.message_seconds:
                # A byte now and then would hold what is half read for as long as the ticket lives.
                self._deaf = True
                connection.end(CloseReason.TOO_SLOW)

    def _take(self, connection: Connection, frame: Frame) -> None:
        opcode, payload = frame
        if opcode == TEXT:
            connection.receive(payload)
        elif opcode == PING:
            connection.pinged(_framing.pong(payload))
        elif opcode == PONG:
            connection.pinged()
        elif opcode == CLOSE:
            self._deaf = True
            connection.peer_closed(int.from_bytes(payload[:2], "big") if payload else 1000)
        else:
            self._deaf = True
            connection.end(CloseReason.UNSUPPORTED)
