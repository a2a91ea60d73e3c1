"""What was found, in one line each, and what to do about it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Level = Literal["ok", "info", "warn", "fail"]
"""``fail``: something does not work. ``warn``: it will not one day. ``info``: good to know."""


class Finding(Struct, frozen=True):
    """Say how one thing is, and the remedy where something is wrong.

    ``name`` is what was looked at, one word, and stays the same from version to version.
    """

    level: Level
    name: str
    text: str
    remedy: str = ""


class Setting(Struct, frozen=True):
    """Say what a setting is and where that was said; a secret is only ``set``, or not."""

    name: str
    value: str
    source: str
    changed: bool


class Report(Struct, frozen=True):
    """Hold everything an examination found."""

    findings: tuple[Finding, ...]
    settings: tuple[Setting, ...]

    def count(self, level: Level) -> int:
        """Return how many findings are of a level."""
        return sum(each.level == level for each in self.findings)


def ok(name: str, text: str) -> Finding:
    """Say that something is as it should be."""
    return Finding("ok", name, text)


def info(name: str, text: str, remedy: str = "") -> Finding:
    """Say what is good to know."""
    return Finding("info", name, text, remedy)


def warn(name: str, text: str, remedy: str) -> Finding:
    """Say what will not work one day, or not for everybody."""
    return Finding("warn", name, text, remedy)


def fail(name: str, text: str, remedy: str) -> Finding:
    """Say what does not work."""
    return Finding("fail", name, text, remedy)
