"""Check a WebSocket handshake before anybody acts on it, and answer it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Any

from ..errors import Invalid

_NAME = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[^\x00\s]+(?:[ \t]+[^\x00\s]+)*|")
"""What the handshake's parser takes for a header; for anything else it raises a 500."""


_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What RFC 6455 has a server add to the key, to show that it knows the protocol."""


def ensure_handshake(environ: dict[str, Any]) -> None:
    """Check that a request may be upgraded, as RFC 6455 4.2.1 says.

    Raises:
        Invalid: it may not. ``type`` is ``version`` when another version of the protocol was
            asked for: that is answered with 426 and the version we speak.
    """
    if environ.get("REQUEST_METHOD") != "GET":
        raise Invalid("a WebSocket is opened with GET", ("method",), "method")
    if environ.get("SERVER_PROTOCOL") in ("HTTP/0.9", "HTTP/1.0"):
        raise Invalid("a WebSocket needs HTTP/1.1", ("protocol",), "protocol")
    if environ.get("HTTP_UPGRADE", "").lower() != "websocket":
        raise Invalid("Upgrade: websocket required", ("Upgrade",), "missing")
    if "upgrade" not in _tokens(environ.get("HTTP_CONNECTION", "")):
        raise Invalid("Connection: Upgrade required", ("Connection",), "missing")
    if environ.get("HTTP_SEC_WEBSOCKET_VERSION") != "13":
        raise Invalid("Sec-WebSocket-Version must be 13", ("Sec-WebSocket-Version",), "version")
    if not _is_key(environ.get("HTTP_SEC_WEBSOCKET_KEY", "")):
        raise Invalid("Sec-WebSocket-Key must be 16 bytes in base64", ("Sec-WebSocket-Key",), "key")
    _ensure_headers(environ)


def switching_protocols(environ: dict[str, Any]) -> bytes:
    """Return the answer to a checked handshake: no extension, no subprotocol (RFC 6455 4.2.2)."""
    key = environ["HTTP_SEC_WEBSOCKET_KEY"] + _GUID
    accept = base64.b64encode(hashlib.sha1(key.encode(), usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n\r\n" % accept
    )


def _tokens(value: str) -> set[str]:
    return {token.strip().lower() for token in value.split(",")}


def _is_key(value: str) -> bool:
    try:
        return len(value) == 24 and len(base64.b64decode(value, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False


def _is_host(value: str) -> bool:
    # As the handshake's parser reads it: what it cannot read is a 500 there.
    try:
        return bool(value) and bool(value.encode("ascii").decode("idna"))
    except UnicodeError:
        return False


def _ensure_headers(environ: dict[str, Any]) -> None:
    if environ.get("CONTENT_LENGTH") not in (None, "", "0") or "HTTP_TRANSFER_ENCODING" in environ:
        raise Invalid("a handshake has no body", ("body",), "body")
    if not _is_host(environ.get("HTTP_HOST", "")):
        raise Invalid("Host must be a host name", ("Host",), "host")
    for name, value in environ.items():
        if not name.startswith("HTTP_"):
            continue
        if not _NAME.fullmatch(name, 5):
            raise Invalid("a header's name has a character none may have", (), "characters")
        if not _VALUE.fullmatch(value):
            header = name[5:].replace("_", "-").title()
            raise Invalid(f"{header} has a character no header may have", (header,), "characters")
