"""Thousands of WebSocket clients and a few HTTP publishers in one thread, on one epoll.

What comes in is only noted, with its time, while the clock runs; it is parsed and checked after.
"""

import select
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

MARK = b"bench-"
PING, TEXT = 0x89, 0x81
PATIENCE = 20.0

Address = tuple[str, int]

now = time.perf_counter


class Lost(Exception):
    """Something did not come, or a connection went."""


@dataclass(frozen=True)
class Speech:
    """What a service's clients say and hear besides messages; all of it as bytes on the wire.

    ``greeting`` has come when the handshake is complete, ``hello`` is said after the 101; ``ping``
    must be in no message, and is answered with ``pong``.
    """

    greeting: bytes
    hello: bytes = b""
    # No header of a text frame contains these two bytes unless it is 35 kB long.
    ping: bytes = b"\x89\0"
    pong: bytes = b"\x8a\x80\0\0\0\0"


def said(text: bytes) -> bytes:
    """Return a short text as a client's frame."""
    return bytes((TEXT, 0x80 | len(text), 0, 0, 0, 0)) + text


class Loop:
    """Wait for many sockets; call whoever has something to read."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Callable[[], None]] = {}

    def listen(self, sock: socket.socket, handler: Callable[[], None]) -> None:
        if sock.fileno() not in self._handlers:
            self._epoll.register(sock.fileno(), select.EPOLLIN)
        self._handlers[sock.fileno()] = handler

    def leave(self, sock: socket.socket) -> None:
        self._epoll.unregister(sock.fileno())
        del self._handlers[sock.fileno()]

    def turn(self, timeout: float) -> bool:
        """Serve whoever is ready; tell whether anybody was."""
        ready = self._epoll.poll(timeout, 4096)
        handlers = self._handlers
        for fd, _ in ready:
            handlers[fd]()
        return bool(ready)

    def run(self, until: Callable[[], bool]) -> None:
        """Serve until something holds.

        Raises:
            Lost: nothing at all came for a while, and it does not hold.
        """
        while not until():
            if not self.turn(PATIENCE):
                raise Lost("nothing came any more")


class Crowd:
    """The WebSocket clients of one service, by user: its servers get them in turn."""

    def __init__(self, loop: Loop, addresses: Sequence[Address], speech: Speech) -> None:
        self.loop = loop
        self._addresses = cycle(addresses)
        self.speech = speech
        self.count = 0
        self.greeted = 0
        self.members: dict[str, Subscriber] = {}

    def connect(self, doors: Iterator[tuple[str, str]], number: int, in_flight: int = 100) -> float:
        """Connect that many users to their paths; return the seconds until all were greeted."""
        goal, started = self.greeted + number, now()
        doors = islice(doors, number)

        def some_more() -> bool:
            room = in_flight - (len(self.members) - self.greeted)
            for user, path in islice(doors, max(room, 0)):
                self.members[user] = Subscriber(self, next(self._addresses), path)
            return self.greeted == goal

        self.loop.run(some_more)
        return now() - started

    def forget(self) -> None:
        """Forget what was heard so far."""
        self.count = 0
        for member in self.members.values():
            member.heard.clear()

    def numbers(self) -> dict[str, list[tuple[int, float]]]:
        """Return what each user heard since: the number of the message, and when it came."""
        return {
            user: [(number_of(text), at) for at, text in texts(member.heard) if MARK in text]
            for user, member in self.members.items()
        }

    def close(self) -> None:
        """Go without a farewell, as clients do."""
        for member in self.members.values():
            self.loop.leave(member.sock)
            member.sock.close()
        self.members.clear()


class Subscriber:
    """One WebSocket client."""

    __slots__ = ("crowd", "heard", "recv", "sock")

    def __init__(self, crowd: Crowd, address: Address, path: str) -> None:
        self.crowd = crowd
        self.heard: list[tuple[float, bytes]] = [(0.0, b"")]
        self.sock = connected(address)
        self.recv = self.sock.recv
        self.sock.send(
            f"GET {path} HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        crowd.loop.listen(self.sock, self._greeting)

    def _greeting(self) -> None:
        speech, earlier = self.crowd.speech, self.heard[0][1]
        before = earlier + self._receive()
        self.heard[0] = (0.0, before)
        head, end, rest = before.partition(b"\r\n\r\n")
        if end and not head.startswith(b"HTTP/1.1 101"):
            raise Lost(f"refused: {before!r}")
        if end and speech.hello and end not in earlier:
            self.sock.send(speech.hello)
        if end and speech.greeting in before:
            self.heard[0] = (0.0, rest)
            self.crowd.greeted += 1
            self.crowd.loop.listen(self.sock, self._hear)

    def _hear(self) -> None:
        data = self._receive()
        self.heard.append((now(), data))
        self.crowd.count += data.count(MARK)
        speech = self.crowd.speech
        if speech.ping in data:
            self.sock.send(speech.pong * data.count(speech.ping))

    def _receive(self) -> bytes:
        data = self.recv(16384)
        if not data:
            raise Lost("a connection was closed")
        return data


class Publisher:
    """One keep-alive HTTP connection that sends a POST when told to."""

    def __init__(self, loop: Loop, address: Address) -> None:
        self.sock = connected(address)
        self._host = f"{address[0]}:{address[1]}"
        self._answer = b""
        self._then: Callable[[bytes], None] = lambda status: None
        self._loop = loop
        loop.listen(self.sock, self._hear)

    def post(self, path: str, body: bytes, then: Callable[[bytes], None]) -> None:
        """Send one; ``then`` gets the answer, head and body."""
        self._then = then
        request = (
            f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nAuthorization: Bearer bench\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        if (sent := self.sock.send(request)) < len(request):
            self.sock.setblocking(True)
            self.sock.sendall(request[sent:])
            self.sock.setblocking(False)

    def close(self) -> None:
        self._loop.leave(self.sock)
        self.sock.close()

    def _hear(self) -> None:
        data = self.sock.recv(65536)
        if not data:
            raise Lost("a publisher was closed")
        self._answer += data
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if end and len(body) >= content_length(head):
            answer, self._answer = self._answer, b""
            if answer[9:10] != b"2":
                raise Lost(f"a publish was refused: {answer!r}")
            self._then(answer)


def connected(address: Address) -> socket.socket:
    # Blocking: on loopback a connect waits only for room in the backlog.
    sock = socket.create_connection(address)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setblocking(False)
    return sock


def content_length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


def number_of(text: bytes) -> int:
    start = text.index(MARK) + len(MARK)
    return int(text[start : start + 8])


def texts(chunks: list[tuple[float, bytes]]) -> Iterator[tuple[float, bytes]]:
    """Parse a server's frames; each text message with the time its last byte came.

    Raises:
        Lost: they are not whole text messages and pings.
    """
    rest = b""
    for at, data in chunks:
        rest += data
        while (frame := _first_frame(rest)) is not None:
            kind, start, end = frame
            if kind == TEXT:
                yield at, rest[start:end]
            elif kind != PING:
                raise Lost(f"neither text nor ping: {rest[:40]!r}")
            rest = rest[end:]
    if rest:
        raise Lost(f"half a frame: {rest[:40]!r}")


def _first_frame(data: bytes) -> tuple[int, int, int] | None:
    if len(data) < 2:
        return None
    start, size = 2, data[1]
    if size > 126:
        raise Lost("a frame that is masked, or larger than any that was sent")
    if size == 126:
        if len(data) < 4:
            return None
        start, size = 4, struct.unpack_from("!H", data, 2)[0]
    return (data[0], start, start + size) if len(data) >= start + size else None
