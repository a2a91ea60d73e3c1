"""Databases of earlier versions, and this one's for later ones: opened, read, and worked with."""

from __future__ import annotations

import ast
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest
from alembic.autogenerate import compare_metadata
from alembic.command import upgrade as run
from alembic.config import Config as Alembic
from alembic.migration import MigrationContext

import toastkit.storage
from tests.fakes import Client, FakeTransport
from tests.postgres import ask, plain_engine
from tests.storage.kept.scene import EVERYTHING, Post, opened
from tests.test_kit import DIALECT
from toastkit import Kit
from toastkit.deliveries import Delivery, Outcome
from toastkit.live import Arriving
from toastkit.records import DeliveryState, Position, Since, State, Ticket, Upgrade
from toastkit.storage import upgrade
from toastkit.storage.tables import metadata
from toastkit.storage.upgrade import HEAD, VERSION_TABLE
from toastkit.testing import ManualClock

pytestmark = pytest.mark.plain

KEPT = Path(__file__).parent / "kept"
FILES = sorted(KEPT.glob("*.sql"))
MIGRATIONS = Path(toastkit.storage.__file__).parent / "migrations"
VERSIONS = MIGRATIONS / "versions"
KINDS = ("sqlite", "postgresql")

NEXT = f"""
There is no database of revision {HEAD} for later versions to be tested with. When the schema is as
it will be released, and everything new in it is used in tests/storage/kept/scene.py, run

    python -m tests.storage.kept

and commit what it writes. The files of earlier revisions stay as they are.
"""


@dataclass
class Kept:
    """Name a database that was made of a kept file, and say when that was."""

    file: Path
    url: str
    at: int

    @property
    def revision(self) -> str:
        return self.file.name.partition(".")[0]

    @property
    def clock(self) -> ManualClock:
        return ManualClock(self.at)


@pytest.fixture(params=FILES, ids=lambda file: file.name)
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    file: Path = request.param
    text = file.read_text()
    found = re.match(r"-- A database of revision \d+, at (\d+)\.", text)
    assert found is not None
    if ".sqlite." in file.name:
        path = tmp_path / "kept.db"
        with sqlite3.connect(path) as connection:
            connection.executescript(text)
        connection.close()
        yield Kept(file, f"sqlite:///{path}", int(found[1]))
        return
    server = request.getfixturevalue("postgres")
    url = server.empty()
    server.run(text, server._name(url))
    yield Kept(file, url, int(found[1]))
    server.drop(url)


def ids(kept: Kept, where: str = "true") -> list[str]:
    found = ask(kept.url, f"SELECT id FROM toastkit_toasts WHERE {where} ORDER BY user_id, seq")
    return [id for (id,) in found]


def titles(kit: Kit, user_id: str = "ada") -> list[str]:
    return [each.title for each in kit.toasts.list(user_id).items]


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_one_of_this_revision(kind: str) -> None:
    assert (KEPT / f"{HEAD}.{kind}.sql").exists(), NEXT


@pytest.mark.parametrize("kind", KINDS)
def test_it_has_rows_of_every_table_and_every_state(kind: str) -> None:
    text = (KEPT / f"{HEAD}.{kind}.sql").read_text()
    rows = [line for line in text.splitlines() if line.startswith("INSERT INTO toastkit_")]
    assert {row.split()[2] for row in rows} >= set(metadata.tables)
    for table, states in ("toasts", get_args(State)), ("deliveries", get_args(DeliveryState)):
        own = "\n".join(row for row in rows if row.split()[2] == f"toastkit_{table}")
        assert [state for state in states if f"'{state}'" not in own] == []


def test_it_is_brought_up_to_date(kept: Kept) -> None:
    assert upgrade(kept.url) == Upgrade(before=kept.revision, now=HEAD)
    engine = plain_engine(kept.url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


@pytest.mark.parametrize("kept", [file for file in FILES if HEAD not in file.name], indirect=True)
def test_it_is_brought_up_to_date_in_steps(kept: Kept) -> None:
    config = Alembic()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = plain_engine(kept.url)
    for revision in range(int(kept.revision) + 1, int(HEAD) + 1):
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            run(config, f"{revision:04}")
        assert ask(kept.url, f"SELECT version_num FROM {VERSION_TABLE}") == [(f"{revision:04}",)]
    engine.dispose()
    with opened(kept.url, kept.clock) as kit:
        assert "Shown" in titles(kit)


def test_what_is_in_it_is_listed(kept: Kept) -> None:
    with opened(kept.url, kept.clock) as kit:
        shown = ["Everything", "Newer", "Newer", "Replaced", "Read", "Seen", "Acked", "Shown"]
        assert titles(kit) == shown
        [newest, *_, oldest] = kit.toasts.list("ada").items
        assert {name: getattr(newest, name) for name in EVERYTHING} == EVERYTHING
        assert (oldest.title, oldest.read_at) == ("Shown", None)
        assert titles(kit, "erin") == ["Before she signed in"]


def test_what_became_of_it_is_explained(kept: Kept) -> None:
    with opened(kept.url, kept.clock) as kit:
        for id in ids(kept):
            found = kit.toasts.explain(id)
            assert (found.verdict and found.timeline) != "", id


def test_what_a_client_missed_is_replayed(kept: Kept) -> None:
    [(epoch,)] = ask(kept.url, "SELECT epoch FROM toastkit_principals WHERE user_id = 'ada'")
    ticket = Ticket(
        token_hash="h",
        user_id="ada",
        device_id="d",
        topics=("user:ada",),
        session_hash=None,
        expires_at=kept.at + 900_000,
    )
    with opened(kept.url, kept.clock) as kit:
        since = Since(position=Position(1, epoch))
        connection = kit.node.admit(ticket, DIALECT, Arriving(since=since))
        client = Client(connection, FakeTransport(connection))
        kit.node.runtime.ask(lambda: connection.open(client.transport))
        told = [each["toast"]["title"] for each in client.said() if each.get("type") == "toast"]
        kit.node.runtime.ask(connection.lost)
    # Not what she has read, or deleted, nor what was replaced or has expired, nor other topics'.
    assert told == ["Shown", "Acked", "Seen", "Newer", "Everything"]


class Keeping(Post):
    """Take everything, and remember what it was."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.posted: list[Delivery] = []

    def post(self, delivery: Delivery) -> Outcome:
        self.posted.append(delivery)
        return super().post(delivery)


def test_what_is_owed_is_carried(kept: Kept) -> None:
    apns, mail = Keeping("apns"), Keeping("mail")
    clock = kept.clock
    clock.advance(120)
    with opened(kept.url, clock, apns, mail) as kit:
        kit.deliveries.carry(once=True)
    waiting = "SELECT count(*) FROM toastkit_deliveries WHERE state = 'waiting'"
    assert ask(kept.url, waiting) == [(0,)]
    assert {each.payload["toast"]["title"] for each in apns.posted} == {"Owed", "Owed and tried"}
    assert {each.device.device_id for each in apns.posted if each.device} == {"phone-of-bob"}
    assert {each.payload["subject"] for each in mail.posted} == {"Held", "Waiting"}


def test_what_nobody_decided_is_decided_and_what_was_committed_is_published(kept: Kept) -> None:
    clock = kept.clock
    clock.advance(10)
    with opened(kept.url, clock) as kit:
        kit.node.serve()
        kit._looking[0].sweep()  # type: ignore[attr-defined]
        waiting = 0 if kept.revision == "0001" else 1  # there was no outbox yet
        assert titles(kit)[: waiting + 1] == ["Committed", "Everything"][1 - waiting :]
        kit.close()
    assert ids(kept, "state = 'accepted' AND title = 'Everything'") == []


def test_it_is_exported_and_forgotten(kept: Kept) -> None:
    with opened(kept.url, kept.clock) as kit:
        exported = kit.data.export("ada")
        assert {len(rows) > 0 for name, rows in exported.items() if name.endswith("toasts")} == {
            True
        }
        for (user_id,) in ask(kept.url, "SELECT user_id FROM toastkit_principals"):
            if not user_id.startswith("anon:"):
                kit.data.forget(user_id)
    assert ids(kept, "user_id NOT LIKE 'anon:%%'") == []


HARMLESS = {"op.add_column", "op.create_table", "op.create_index", "op.drop_index"}


@pytest.mark.parametrize("file", sorted(VERSIONS.glob("0*.py")), ids=lambda file: file.stem)
def test_code_of_the_version_before_goes_on_with_a_new_schema(file: Path) -> None:
    """Old workers run until each is restarted: nothing they read is gone, nothing they miss needed."""
    tree = ast.parse(file.read_text())
    # What is shared by both ways counts, too.
    tree.body = [each for each in tree.body if getattr(each, "name", "") != "downgrade"]
    calls = [each for each in ast.walk(tree) if isinstance(each, ast.Call)]
    done = {name for each in calls if (name := ast.unparse(each.func)).startswith("op.")}
    assert done <= HARMLESS
    for added in (each for each in calls if ast.unparse(each.func) == "op.add_column"):
        column = ast.unparse(added.args[1])
        assert "nullable=False" not in column or "server_default" in column
