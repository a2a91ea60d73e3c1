"""RFC 6455's frames as bytes: read a client's, write ours. No socket is touched here."""

from __future__ import annotations

from collections.abc import Iterator

from ..closing import CloseReason

MORE, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
CLOSE_CODES = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})
"""What may stand in a close frame; the rest is reserved or only for a program's own use."""

Frame = tuple[int, bytes]


class FrameError(Exception):
    """The client's bytes are not what RFC 6455 or our limits allow; nothing after them counts."""

    def __init__(self, reason: CloseReason, why: str) -> None:
        super().__init__(why)
        self.reason = reason


class FrameReader:
    """Read a client's bytes as messages and control frames, however they were cut up.

    A message has at most ``size`` bytes and comes in at most ``fragments`` frames. Between
    messages a reader holds nothing, so one need not be kept: see ``idle``. ``since`` is for its
    owner, to note when the message that is half read began.
    """

    __slots__ = ("_fragments", "_message", "_rest", "_size", "since")

    def __init__(self, size: int, fragments: int, since: int = 0) -> None:
        self.since = since
        self._size = size
        self._fragments = fragments
        self._rest: bytearray | None = None
        self._message: list[bytes] | None = None

    @property
    def idle(self) -> bool:
        """Tell whether no frame and no message is half read."""
        return self._rest is None and self._message is None

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield ``(opcode, payload)`` of each message and control frame that is complete now.

        Fragments are joined; ``TEXT`` is UTF-8 for certain. What came before an error is yielded
        before it is raised.

        Raises:
            FrameError: the connection must end, for ``reason``.
        """
        rest, begin = self._rest, 0
        if rest is not None:
            rest += data
        while (frame := self._cut(rest or data, begin)) is not None:
            first, payload, begin = frame
            complete = self._control(first, payload) if first & 8 else self._join(first, payload)
            if complete is not None:
                yield complete
        if begin >= len(rest or data):
            self._rest = None
        elif rest is None:
            self._rest = bytearray(data[begin:])
        else:
            del rest[:begin]

    def _cut(self, data: bytes | bytearray, begin: int) -> tuple[int, bytes, int] | None:
        """Cut one frame out of ``data``: its first byte, its payload and where the next begins."""
        if len(data) - begin < 2:
            return None
        first, size, start = data[begin], data[begin + 1] & 127, begin + 2
        if first & 0x70 or first & 15 not in (MORE, TEXT, BINARY, CLOSE, PING, PONG):
            raise FrameError(CloseReason.PROTOCOL, "reserved bits or opcode")
        if not data[begin + 1] & 128:
            raise FrameError(CloseReason.PROTOCOL, "frame is not masked")
        if first & 8 and (size > 125 or not first & 128):
            raise FrameError(CloseReason.PROTOCOL, "control frame is long or fragmented")
        if size > 125:
            width = 2 if size == 126 else 8
            if len(data) < start + width:
                return None
            size = int.from_bytes(data[start : start + width], "big")
            start += width
            if size < (126 if width == 2 else 65_536) or size >> 63:
                raise FrameError(CloseReason.PROTOCOL, "length is not written as it must be")
        # Judged by what the header claims: a huge frame is refused before it is waited for.
        if size > self._size:
            raise FrameError(CloseReason.TOO_BIG, "frame is too big")
        end = start + 4 + size
        if len(data) < end:
            return None
        return first, unmask(data[start + 4 : end], data[start : start + 4]), end

    def _join(self, first: int, payload: bytes) -> Frame | None:
        opcode, message = first & 15, self._message
        if (message is None) == (opcode == MORE):
            raise FrameError(CloseReason.PROTOCOL, "fragments are out of order")
        if message is None:
            if first & 128:
                return opcode, _checked(opcode, payload)
            self._message = [bytes([opcode]), payload]
            return None
        message.append(payload)
        too_many = len(message) - 1 > self._fragments
        if too_many or sum(map(len, message)) - 1 > self._size:
            raise FrameError(CloseReason.TOO_BIG, "fragments are too many or too big together")
        if not first & 128:
            return None
        self._message = None
        return message[0][0], _checked(message[0][0], b"".join(message[1:]))

    def _control(self, first: int, payload: bytes) -> Frame:
        opcode = first & 15
        if opcode == CLOSE and payload:
            if int.from_bytes(payload[:2], "big") not in CLOSE_CODES:
                raise FrameError(CloseReason.PROTOCOL, "close code is not one to be sent")
            _checked(TEXT, payload[2:])
        return opcode, payload


class WebSocketFraming:
    """Wrap a dialect's words in the frames of a server: final and unmasked."""

    ping = b"\x89\x00"

    def text(self, payload: bytes) -> bytes:
        """Wrap one message of UTF-8 text."""
        size = len(payload)
        if size < 126:
            return b"\x81%c%b" % (size, payload)
        if size < 65_536:
            return b"\x81\x7e%b%b" % (size.to_bytes(2, "big"), payload)
        return b"\x81\x7f%b%b" % (size.to_bytes(8, "big"), payload)

    def close(self, code: int, reason: str) -> bytes:
        """Wrap a farewell; its text is cut to the 123 bytes that fit, between characters."""
        text = reason.encode()[:123].decode(errors="ignore").encode()
        return b"\x88%c%b%b" % (len(text) + 2, code.to_bytes(2, "big"), text)

    def pong(self, payload: bytes) -> bytes:
        """Wrap the answer to a ping of at most 125 bytes."""
        return b"\x8a%c%b" % (len(payload), payload)


def unmask(payload: bytes | bytearray, key: bytes | bytearray) -> bytes:
    """Undo (or do) a client's masking: one big XOR, as a loop over bytes would be slow."""
    size = len(payload)
    mask = int.from_bytes((key * (size // 4 + 1))[:size], "little")
    return (int.from_bytes(payload, "little") ^ mask).to_bytes(size, "little")


def _checked(opcode: int, payload: bytes) -> bytes:
    if opcode == TEXT and not payload.isascii():
        try:
            payload.decode()
        except UnicodeDecodeError:
            raise FrameError(CloseReason.BAD_UTF8, "text is not UTF-8") from None
    return payload
