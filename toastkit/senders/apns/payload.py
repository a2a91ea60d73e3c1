"""What a phone gets to show, within the size that the push service takes."""

from __future__ import annotations

import unicodedata
from typing import Any

from msgspec.json import encode

MAX_BYTES = 4096
"""Largest payload of an alert."""

CUT = "\N{HORIZONTAL ELLIPSIS}"

_JOINER = "\N{ZERO WIDTH JOINER}"
_LEVELS = {"high": "time-sensitive", "low": "passive"}
_FLAGS = range(0x1F1E6, 0x1F200)
_TONES = range(0x1F3FB, 0x1F400)


def payload(toast: dict[str, Any]) -> bytes:
    """Write a toast for a phone, shortened to what the push service takes.

    The body gives way first, then the title; where that is not enough, it is the deeplink that is
    left out instead.
    """
    for deeplink in (toast["deeplink"], None):
        shown = toast | {"deeplink": deeplink}
        if _fits(shown):
            return _write(shown)
        if fitting := _shortened(shown):
            return fitting
    # Not for any toast: its topic and title alone are a quarter of what is taken.
    return _write(toast | {"title": "", "body": None, "deeplink": None, "topic": ""})


def _shortened(toast: dict[str, Any]) -> bytes | None:
    """Write a toast with as much of its body as fits, else of its title, if any does."""
    if body := _fitting(toast, "body"):
        return _write(toast | {"body": body})
    without = toast | {"body": None}
    if _fits(without):
        return _write(without)
    title = _fitting(without, "title")
    return _write(without | {"title": title}) if title else None


def _fits(toast: dict[str, Any]) -> bool:
    return len(_write(toast)) <= MAX_BYTES


def _fitting(toast: dict[str, Any], name: str) -> str:
    """Return the longest beginning of a field that fits with a mark behind it; empty if none."""
    text: str = toast[name] or ""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        fits = _fits(toast | {name: text[:middle] + CUT})
        low, high = (middle, high) if fits else (low, middle - 1)
    while low and not _may_cut(text, low):
        low -= 1
    return text[:low].rstrip() + CUT if low else ""


def _may_cut(text: str, at: int) -> bool:
    """Tell whether a text may end there, or what a reader sees as one sign would be torn."""
    if at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    if _JOINER in {before, after} or unicodedata.category(after) in {"Mn", "Me", "Mc"}:
        return False
    if ord(after) in _TONES:
        return False
    # Two letters make a flag: count those before, for a row of flags is a row of pairs.
    if ord(after) not in _FLAGS:
        return True
    letters = 0
    while letters < at and ord(text[at - 1 - letters]) in _FLAGS:
        letters += 1
    return letters % 2 == 0


def _write(toast: dict[str, Any]) -> bytes:
    alert = {name: toast[name] for name in ("title", "body") if toast[name] is not None}
    aps: dict[str, Any] = {"alert": alert}
    if toast["priority"] != "low":
        aps["sound"] = "default"
    if level := _LEVELS.get(toast["priority"]):
        aps["interruption-level"] = level
    names = ("id", "topic", "deeplink", "style")
    return encode({"aps": aps, "toast": {name: toast[name] for name in names}})
