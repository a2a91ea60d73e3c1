"""Facts of databases that have nothing wrong but what a test says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.verifiers.forgeries import NOW
from toastkit.storage import DatabaseFacts, FileFacts, SchemaFacts, ServerFacts, lookingfile
from toastkit.storage.upgrade import HEAD

AT = NOW * 1000
AT_HEAD = SchemaFacts(HEAD, hosts=False)
GOOD = ServerFacts(
    version="17.2 (Debian)",
    encoding="UTF8",
    most=100,
    reserved=3,
    used=5,
    role_limit=-1,
    database_limit=-1,
    standby=False,
    read_only=False,
    may_create=True,
    may_write=True,
    role="shop",
    ahead_ms=0,
    blur_ms=1,
)


ANYWHERE = """
from toastkit.storage import lookingfile
lookingfile._mounts = lambda: ""
lookingfile._free = lambda folder: None
"""
"""Run in a program: whatever disk the tests are on, there is nothing wrong with it."""


def anywhere(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Be in a folder of this test alone, with nothing in the environment, on any disk."""
    monkeypatch.chdir(folder)
    for name in ("DATABASE_URL", "REDIS_URL", "WEB_CONCURRENCY", "GUNICORN_CMD_ARGS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(lookingfile, "_mounts", str)
    monkeypatch.setattr(lookingfile, "_free", lambda folder: None)


def file(**given: Any) -> FileFacts:
    known = {"path": "/srv/a.db", "folder": "/srv", "exists": True, "size": 1, "journal": "wal"}
    return FileFacts(**{**known, **given})


def server(**given: Any) -> ServerFacts:
    fields = {name: getattr(GOOD, name) for name in GOOD.__struct_fields__}
    return ServerFacts(**{**fields, **given})


def database(
    schema: SchemaFacts | None = AT_HEAD, trouble: str = "", **given: Any
) -> DatabaseFacts:
    return DatabaseFacts("a place", trouble, schema=schema, **given)
