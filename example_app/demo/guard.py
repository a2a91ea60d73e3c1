"""Keep demo mode on this machine, where anyone may be anyone."""

from __future__ import annotations

import re

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from ..settings import is_loopback

_PROXIES = frozenset({"Forwarded", "Via", "X-Real-Ip", "Cf-Connecting-Ip"})
_HOST = re.compile(r"(?P<name>[A-Za-z0-9.]+|\[[0-9A-Fa-f:]+\])(:[0-9]+)?")
"""A name, or an address as a URL has it: nothing that could end up in a header of ours."""


def refuse_strangers() -> ResponseReturnValue | None:
    """Refuse a request that did not come straight from this machine.

    A foreign ``Host`` is a page of another site whose name was pointed at us (DNS rebinding); a
    forwarding header is a proxy that has put us on a network.
    """
    reason = _stranger()
    if reason is None:
        return None
    body = {"detail": "demo_mode_is_local", "code": "demo_mode_is_local", "message": reason}
    return jsonify(body), 403


def _stranger() -> str | None:
    if not is_loopback(request.environ.get("REMOTE_ADDR", "")):
        return "demo mode answers this machine only"
    if not _is_local(request.environ.get("HTTP_HOST", "")):
        return "demo mode answers to localhost and 127.0.0.1 only"
    if any(name in _PROXIES or name.startswith("X-Forwarded-") for name, _ in request.headers):
        return "demo mode answers no proxy"
    return None


def _is_local(host: str) -> bool:
    named = _HOST.fullmatch(host)
    return named is not None and is_loopback(named["name"])
