"""A client that reads lines: a raw socket, HTTP as it is on the wire."""

import ctypes
import json
import socket
import struct
import time

SO_ATTACH_FILTER = 26


def vanish(sock):
    """Let a socket go without a word: the kernel drops what comes, acknowledges nothing (Linux)."""
    drop = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))  # BPF: return 0 bytes
    program = struct.pack("HP", 1, ctypes.addressof(drop))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


class Lines:
    """Ask for a stream, read its head, then line after line."""

    def __init__(self, address, path="/v1/toasts/stream", *, version="1.1", **headers):
        self.sock = socket.create_connection(address, timeout=10)
        self._rest = b""
        self._chunked = False
        self._host = "{}:{}".format(*address)
        self.ask(path, version=version, **headers)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def ask(self, path, *, version="1.1", **headers):
        """Ask for a path."""
        said = {"Host": self._host, **headers}
        lines = [f"GET {path} HTTP/{version}", *(f"{k}: {v}" for k, v in said.items()), "", ""]
        self.sock.sendall("\r\n".join(lines).encode())

    def skip(self, size):
        """Read the rest of an answer's body."""
        while len(self._rest) < size:
            self._rest += self.sock.recv(65_536)
        self._rest = self._rest[size:]

    def vanish(self):
        """Go without a word."""
        vanish(self.sock)

    def head(self):
        """Return the status and the headers, names in lower case."""
        status, *lines = iter(self._line, b"")
        pairs = (line.decode().split(": ", 1) for line in lines)
        headers = {name.lower(): value for name, value in pairs}
        self._chunked = headers.get("transfer-encoding") == "chunked"
        return int(status.split()[1]), headers

    def line(self):
        """Return what the next line says, or ``None`` at the end."""
        if not self._chunked:
            line = self._line()
        elif size := int(self._line() or b"0", 16):
            # Small lines are chunks of their own: the servers here send what they are given.
            line = self._line()
            assert len(line) + 1 == size
            self._line()
        else:
            line = b""
        return json.loads(line) if line else None

    def next(self):
        """Return what the next line says that is no heartbeat."""
        while (said := self.line()) == {"type": "heartbeat"}:
            pass
        return said

    def rest(self, seconds=10):
        """Return everything that is said until the end."""
        until, said = time.monotonic() + seconds, []
        while time.monotonic() < until:
            line = self.next()
            if line is None:
                return said
            said.append(line)
        raise AssertionError(f"it never ended: {said}")

    def drained(self):
        """Read to the end, whole lines or not, and tell that it came."""
        try:
            while self.sock.recv(65_536):
                pass
        except ConnectionResetError:
            return True
        return True

    def _line(self):
        while b"\n" not in self._rest:
            data = self.sock.recv(65_536)
            if not data:
                assert not self._rest, f"the last line is torn: {self._rest[:200]!r}"
                return b""
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        return line.rstrip(b"\r")
