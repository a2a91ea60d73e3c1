"""A transport on the loop, with a connection that only takes notes, and its client."""

import _socket
import select
import socket

import pytest

from toastkit.runtime import gevent_is_in_charge

RUNTIMES = ["gevent"] if gevent_is_in_charge() else ["threads", "gevent"]


class Notes:
    """Be a connection that notes what it is told and closes as a real one does."""

    id = "notes"
    ending = False
    now = 100

    def __init__(self):
        self.seen = []
        self.transport = None

    def __getattr__(self, name):
        return lambda *args: self.seen.append((name, *args))

    def said(self, name):
        return [each for each in self.seen if each[0] == name]

    def send(self, frame):
        self.transport.write(frame)
        return True

    def heard(self):
        self.seen.append(("heard",))
        return self.now

    def pinged(self, answer=None):
        self.seen.append(("pinged", answer))
        if answer is not None:
            self.send(answer)

    def end(self, reason):
        self.seen.append(("end", reason))
        self.transport.finish()

    def peer_closed(self, code):
        self.seen.append(("peer_closed", code))
        self.transport.finish()


class Line:
    """A connection, its transport on the loop, and the client's end of the socket."""

    def __init__(self, runtime, notes, config, transport):
        self.runtime = runtime
        self.notes = notes
        ours, self.client = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        sock = _socket.socket(ours.family, ours.type, ours.proto, fileno=ours.detach())
        sock.setblocking(False)
        self.transport = runtime.ask(lambda: transport(runtime, config, sock, notes))
        notes.transport = self.transport

    def until(self, condition):
        for _ in range(500):
            if self.runtime.ask(condition):
                return
            self.runtime.signal().wait(0.01)
        pytest.fail(f"it never came true: {self.notes.seen}")

    def read(self, count):
        """Read as the client, while the loop goes on (it may live in this very thread)."""
        self.until(lambda: select.select([self.client], [], [], 0)[0])
        return self.client.recv(count)

    def until_seen(self, *entry):
        self.until(lambda: entry in self.notes.seen)
