"""Users with a phone each, and nobody there."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from toastkit import Kit

BUNDLE = "com.example.app"


def push_token(number: int) -> str:
    return f"{number:064x}"


def user_of(token: str) -> str:
    """Return whose phone has a push token."""
    return f"u{int(token, 16)}"


def register(kit: Kit, many: int) -> list[str]:
    """Give so many users a phone each; return them."""

    def one(number: int) -> str:
        kit.devices.register(f"u{number}", f"d{number}", BUNDLE, {"token": push_token(number)})
        return f"u{number}"

    with ThreadPoolExecutor(32) as threads:
        return list(threads.map(one, range(many)))


def wait_until(fact: Callable[[], object], seconds: float = 20) -> None:
    """Wait until something is so.

    Raises:
        AssertionError: it never was.
    """
    until = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < until, "never"
        time.sleep(0.02)
