"""Many WebSocket clients on one selector, without a library: fast enough to measure with."""

import base64
import json
import os
import selectors
import socket
import time
from contextlib import suppress

from websockets.frames import Close

from toastkit.transports.frames import unmask

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def masked(opcode, payload=b""):
    """Write one frame of a client."""
    size, key = len(payload), os.urandom(4)
    if size < 126:
        head = bytes([128 | opcode, 128 | size])
    else:
        head = bytes([128 | opcode, 128 | 126]) + size.to_bytes(2, "big")
    return head + key + unmask(payload, key)


def text(message):
    """Write one message of a client."""
    return masked(TEXT, json.dumps(message).encode())


class Bird:
    """One client. ``said`` holds ``(time, message)``; ``closed`` the close frame, when it came."""

    def __init__(self, flock, ticket, first=b"", receive_buffer=0, address=None):
        self.flock = flock
        self.said = []
        self.closed = None
        self.gone = False
        self.open = False
        self._first = first
        self._data = bytearray()
        self._begin = 0
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.connect(address or flock.address)
        key = base64.b64encode(os.urandom(16)).decode()
        self.sock.sendall(
            f"GET /api/v1/realtime?token={ticket} HTTP/1.1\r\nHost: {flock.host}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        self.sock.setblocking(False)
        self.listen()

    def listen(self):
        """Begin, or go on, to read."""
        self.flock.selector.register(self.sock, selectors.EVENT_READ, self)

    def pause(self):
        """Read no more for now."""
        self.flock.selector.unregister(self.sock)

    def say(self, message):
        self.sock.sendall(text(message))

    def messages(self, type):
        return [message for _, message in self.said if message["type"] == type]

    def close(self):
        if not self.gone:
            self.gone = True
            self.flock.selector.unregister(self.sock)
        self.sock.close()

    def on_readable(self):
        try:
            data = self.sock.recv(262_144)
        except ConnectionError:
            data = b""
        if not data:
            self.close()
            return
        self._data += data
        if not self.open:
            self._read_answer()
        if self.open:
            self._read_frames()

    def _read_answer(self):
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        assert self._data.startswith(b"HTTP/1.1 101 "), bytes(self._data)
        self.open = True
        self._begin = end + 4
        # In the same tick as the answer: what a server's handshake code may still swallow.
        if self._first:
            self.sock.sendall(self._first)

    def _read_frames(self):
        now = time.perf_counter()
        while (frame := self._cut()) is not None:
            opcode, payload = frame
            if opcode == TEXT:
                self.said.append((now, json.loads(payload)))
            elif opcode == PING:
                self.sock.sendall(masked(PONG, payload))
            elif opcode == CLOSE:
                self.closed = Close.parse(payload)
                # On a busy machine the server may have waited for this long enough.
                with suppress(BrokenPipeError, ConnectionResetError):
                    self.sock.sendall(masked(CLOSE, payload[:2]))
        del self._data[: self._begin]
        self._begin = 0

    def _cut(self):
        data, begin = self._data, self._begin
        if len(data) < begin + 2:
            return None
        first, size, start = data[begin], data[begin + 1], begin + 2
        assert first in (0x81, 0x88, 0x89, 0x8A), f"not a frame: {bytes(data[begin : begin + 80])}"
        if size > 125:
            width = 2 if size == 126 else 8
            size = int.from_bytes(data[start : start + width], "big")
            start += width
        if len(data) < start + size:
            return None
        self._begin = start + size
        return first & 15, bytes(data[start : start + size])


class Flock:
    """Many clients of one server, driven together."""

    def __init__(self, address):
        self.address = address
        self.host = "{}:{}".format(*address)
        self.selector = selectors.DefaultSelector()
        self.birds = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for bird in self.birds:
            bird.close()
        self.selector.close()

    def join(self, tickets, first=b"", receive_buffer=0):
        """Connect one client for each ticket, which says ``first`` as soon as it is let in."""
        birds = [Bird(self, ticket, first, receive_buffer) for ticket in tickets]
        self.birds += birds
        return birds

    def run(self, until, seconds=20):
        """Read until a condition is true; tell whether it came true in time."""
        end = time.monotonic() + seconds
        while not until():
            left = end - time.monotonic()
            if left <= 0:
                return False
            for key, _ in self.selector.select(min(left, 0.2)):
                key.data.on_readable()
        return True

    def greeted(self):
        return all(bird.messages("connection_ack") for bird in self.birds)
