"""Which paths of an app are both the host's and toastkit's, however they are spelled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from flask import Flask
from werkzeug.routing import Rule

Clash = tuple[Rule, Rule, set[str]]
"""A rule of toastkit's, one of the host's, and the methods both have."""

_ANY_TEXT = re.compile(r"<(?:(?:string|default):)?[^:<>]+>")
"""A part that any text matches, whatever its name is; a converter that takes less goes first."""


def clashes(ours: Iterable[Rule], theirs: Sequence[Rule]) -> Iterator[Clash]:
    """Return each rule of ours with each of theirs that matches the same."""
    for mine in ours:
        for their in theirs:
            shared = (mine.methods or set()) & (their.methods or set()) - {"OPTIONS"}
            if shared and _shape(mine) == _shape(their):
                yield mine, their, shared


def hidden_files(app: Flask, ours: Iterable[Rule], theirs: Sequence[Rule]) -> Iterator[Clash]:
    """Return each rule of ours in whose place the app's static files have one."""
    folders = [(their, folder) for their in theirs if (folder := _folder(app, their))]
    for mine in ours:
        for their, folder in folders:
            before = their.rule.partition("<")[0]
            name = mine.rule.removeprefix(before)
            if "<" in mine.rule or name == mine.rule:
                continue
            if (Path(folder) / name).is_file():
                yield mine, their, {"GET"}


def _shape(rule: Rule) -> tuple[object, ...]:
    # Of an app that tells hosts apart toastkit answers on all, so a rule of any host clashes.
    return rule.websocket, rule.subdomain, _ANY_TEXT.sub("<>", rule.rule)


def _folder(app: Flask, rule: Rule) -> str | None:
    owner, _, name = rule.endpoint.rpartition(".")
    if name != "static":
        return None
    holder = app.blueprints.get(owner) if owner else app
    return None if holder is None else holder.static_folder
