"""Fetch a small JSON document from a server that may be anything."""

from __future__ import annotations

import http.client
import io
import socket
import urllib.error
import urllib.request
from functools import partial
from typing import Any, cast

import msgspec

from ..clock import Clock, Deadline

_HEADERS = {"Accept": "application/json, */*;q=0.1", "User-Agent": "toastkit"}


class NotFetched(Exception):
    """The document could not be had; the message says why, in one line."""


def within(seconds: float, clock: Clock | None = None) -> Deadline:
    """Return the deadline of one whole fetch."""
    return Deadline(seconds, clock, f"not answered whole within {seconds:g} seconds")


def fetch_json(url: str, deadline: Deadline, max_bytes: int) -> Any:
    """Return the JSON document at an http or https URL; redirects are not followed.

    The proxies of the environment are used (``HTTPS_PROXY``), and the system's certificates
    (``SSL_CERT_FILE``).

    Raises:
        NotFetched: it cannot be had in time, or is larger than ``max_bytes``, or no JSON.
    """
    asked = urllib.request.Request(url, headers=_HEADERS)  # noqa: S310 - see _opener
    try:
        with _opener(deadline).open(asked, timeout=deadline.left()) as answer:
            raw = answer.read(max_bytes + 1)
    except urllib.error.HTTPError as error:
        error.close()
        moved = "; redirects are not followed" if 300 <= error.code < 400 else ""
        raise NotFetched(f"HTTP status {error.code}{moved}") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        late = isinstance(reason, TimeoutError)
        raise NotFetched(deadline.late if late else _line(reason)) from None
    if len(raw) > max_bytes:
        raise NotFetched(f"the document is larger than {max_bytes} bytes")
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NotFetched("the document is not JSON") from None


def _opener(deadline: Deadline) -> urllib.request.OpenerDirector:
    # What is not in it cannot be used: no redirects, for whoever could redirect us could choose
    # whose tokens are believed; no files, no ftp, no cookies.
    opener = urllib.request.OpenerDirector()
    opener.addheaders = []
    for handler in (
        urllib.request.ProxyHandler(),
        _Http(deadline),
        _Https(deadline),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _line(reason: object) -> str:
    return " ".join((str(reason) or type(reason).__name__).split())[:200]


class _Http(urllib.request.HTTPHandler):
    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_Plain, self._deadline), req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_Secure, self._deadline), req)


class _Plain(http.client.HTTPConnection):
    def __init__(self, deadline: Deadline, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._deadline = deadline

    def connect(self) -> None:
        super().connect()
        self.sock = cast("socket.socket", _TimedSocket(self.sock, self._deadline))


class _Secure(http.client.HTTPSConnection):
    def __init__(self, deadline: Deadline, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._deadline = deadline

    def connect(self) -> None:
        super().connect()
        self.sock = cast("socket.socket", _TimedSocket(self.sock, self._deadline))


class _TimedSocket:
    """Let every answer of the network wait for what is left of one deadline.

    A timeout of a socket begins anew with each byte: a server that drips would never be late.
    """

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(self._deadline.left())
        self._sock.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._sock, self._deadline))

    def close(self) -> None:
        self._sock.close()


class _TimedReader(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._deadline.left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
