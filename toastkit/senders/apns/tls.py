"""TLS in memory: what is said goes in, what must be sent comes out."""

from __future__ import annotations

import socket
import ssl

from ...clock import Deadline

CHUNK = 65_536


class Tls:
    """Talk TLS over a connected socket, whose owner reads and writes it; h2 is agreed on.

    Python's own TLS sockets may not be read and written by two threads at once; this may neither,
    but here the network is not waited for, once hands are shaken.

    Raises:
        OSError: the other side is not the one that was meant, or does not speak HTTP/2.
    """

    def __init__(
        self, connected: socket.socket, trust: ssl.SSLContext, name: str, deadline: Deadline
    ) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = trust.wrap_bio(self._in, self._out, server_hostname=name)
        self._shake_hands(connected, deadline)
        if self._tls.selected_alpn_protocol() != "h2":
            raise ConnectionError("it does not speak HTTP/2")

    def decrypt(self, data: bytes) -> tuple[bytes, bool]:
        """Take what came; return what it says, and whether more may come.

        Raises:
            OSError: somebody has changed it on the way.
        """
        self._in.write(data)
        said = bytearray()
        try:
            while part := self._tls.read(CHUNK):
                said += part
        except ssl.SSLWantReadError:
            return bytes(said), True
        except ssl.SSLZeroReturnError:
            pass  # it took leave, as it does by an empty read
        return bytes(said), False

    def encrypt(self, data: bytes) -> bytes:
        """Return what to send in order to say something, and what TLS itself has to say."""
        if data:
            self._tls.write(data)
        return self._out.read()

    def _shake_hands(self, connected: socket.socket, deadline: Deadline) -> None:
        while True:
            # Whoever says a byte now and then is not waited for, either.
            connected.settimeout(deadline.left())
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                connected.sendall(self._out.read())
                if not (data := connected.recv(CHUNK)):
                    raise ConnectionError("it hung up in the handshake") from None
                self._in.write(data)
            else:
                connected.sendall(self._out.read())
                return
