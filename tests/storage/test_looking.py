"""A database is looked at without a change, whatever state it is in."""

from __future__ import annotations

import os
import socket
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from tests.postgres import ask
from toastkit.clock import SystemClock
from toastkit.errors import ConfigError
from toastkit.storage import look, lookingfile, native, place_of
from toastkit.storage.lookingfile import filesystem_of
from toastkit.storage.tables import metadata, outbox
from toastkit.storage.upgrade import HEAD

pytestmark = pytest.mark.plain

NOBODY = 65534
now = SystemClock().now


@pytest.fixture
def file(tmp_path, sqlite_template):
    """A file with the newest schema, that others may not write."""
    with tempfile.TemporaryDirectory(prefix="toastkit-") as folder:
        path = Path(folder) / "toastkit.db"
        path.write_bytes(sqlite_template.read_bytes())
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")  # a log cannot even be read there
        path.chmod(0o444)
        Path(folder).chmod(0o755)
        yield path


@contextmanager
def as_nobody():
    """Be a user who may write nothing that is not his; root may write everything."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def journal(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA journal_mode").fetchone()[0]


def test_a_database_at_head_has_nothing_wrong(url):
    facts = look(url, now)
    assert (facts.trouble, facts.schema.version, facts.schema.missing) == ("", HEAD, ())
    assert (facts.rows.waiting, facts.rows.undecided, facts.rows.newest_at) == ((), 0, None)


def test_not_a_byte_of_a_file_is_changed(tmp_path, file):
    path = tmp_path / "toastkit.db"
    path.write_bytes(file.read_bytes())
    assert look(f"sqlite:///{path}", now).trouble == ""
    assert path.read_bytes() == file.read_bytes()


def test_an_empty_database_stays_empty(postgres):
    url = postgres.empty()
    assert look(url, now).schema.version is None
    assert ask(url, "SELECT 1 FROM pg_tables WHERE schemaname = 'public'") == []
    postgres.drop(url)


def test_a_file_that_is_not_there_is_not_made(tmp_path):
    facts = look(f"sqlite:///{tmp_path}/toastkit.db", now)
    assert (facts.file.exists, facts.trouble, facts.schema) == (False, "", None)
    assert list(tmp_path.iterdir()) == []


def test_a_file_keeps_its_journal(tmp_path):
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE other (id)")
    facts = look(f"sqlite:///{path}", now)
    assert (facts.file.journal, facts.schema.hosts) == ("delete", False)
    assert journal(path) == "delete"


def test_a_folder_that_is_not_there_is_told(tmp_path):
    facts = look(f"sqlite:///{tmp_path}/missing/toastkit.db", now)
    assert facts.trouble == f"the folder {tmp_path}/missing does not exist"


def test_a_file_of_something_else_is_told(tmp_path):
    path = tmp_path / "notes.db"
    path.write_bytes(b"dear diary, " * 200)
    assert look(f"sqlite:///{path}", now).trouble == "file is not a database"


def test_a_file_that_may_not_be_written_is_told(file):
    with as_nobody():
        facts = look(f"sqlite:///{file}", now)
    assert "readonly" in facts.file.refused
    assert facts.file.mode == 0o444


def test_a_folder_that_may_not_be_written_is_told(file):
    file.parent.chmod(0o555)
    with as_nobody():
        facts = look(f"sqlite:///{file}", now)
    file.parent.chmod(0o755)
    assert facts.file.folder_writable is False


def test_a_lock_of_somebody_else_is_told(file, monkeypatch):
    monkeypatch.setattr(lookingfile, "LOCK_SECONDS", 0.01)
    file.chmod(0o644)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        facts = look(f"sqlite:///{file}", now)
    assert (facts.file.locked, facts.file.refused, facts.trouble) == (True, "", "")


@pytest.mark.parametrize("missing", ["a table", "a column", "nothing"])
def test_what_a_hosts_migrations_did_not_make_is_named(tmp_path, missing):
    url = f"sqlite:///{tmp_path}/host.db"
    engine = create_engine(url)
    metadata.create_all(engine)
    with engine.begin() as connection:
        if missing == "a table":
            outbox.drop(connection)
        if missing == "a column":
            connection.exec_driver_sql("ALTER TABLE toastkit_devices DROP COLUMN refused")
    engine.dispose()
    schema = look(url, now).schema
    expected = {"a table": (outbox.name,), "a column": ("toastkit_devices.refused",), "nothing": ()}
    assert (schema.version, schema.hosts, schema.missing) == (None, True, expected[missing])


def test_a_server_that_is_away_is_told_without_its_password():
    facts = look("postgresql://shop:hush@127.0.0.1:1/shop?password=hush", now)
    assert "refused" in facts.trouble
    assert "hush" not in repr(facts)


def test_a_server_that_does_not_answer_is_left(monkeypatch):
    monkeypatch.setattr(native, "CONNECT_LOOKS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert look(f"postgresql://shop@127.0.0.1:{port}/shop", now).trouble


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("sqlite:////srv/a.db", "sqlite:////srv/a.db"),
        ("postgresql://u:hush@h:5/n?password=hush", "postgresql+psycopg://u@h:5/n"),
        ("hush", "set"),
        ("mysql://u:hush@h/n", "set"),
    ],
)
def test_a_place_has_no_secrets(url, place):
    assert place_of(url) == place


def test_a_url_that_cannot_be_used_is_an_error():
    with pytest.raises(ConfigError):
        look("mysql://h/n", now)


@pytest.fixture
def role(postgres):
    """A role that may only read, and the URL by which it does."""
    url = postgres.fresh()
    ask(url, "CREATE ROLE guest LOGIN PASSWORD 'hush'; ALTER ROLE guest CONNECTION LIMIT 7")
    read = make_url(url).set(username="guest", password="hush")
    yield read.render_as_string(hide_password=False)
    postgres.drop(url)
    postgres.run("DROP ROLE guest")


def test_what_a_role_lacks_is_told(role):
    server = look(role, now).server
    assert (server.role, server.may_write, server.may_create) == ("guest", False, False)
    assert (server.role_limit, server.standby, server.read_only) == (7, False, False)
    assert server.most - server.reserved >= server.used >= 1


def test_a_database_that_only_reads_is_told(postgres):
    url = postgres.fresh()
    name = make_url(url).database
    postgres.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert look(url, now).server.read_only is True
    postgres.drop(url)


def test_how_far_a_servers_clock_is_ahead(postgres):
    url = postgres.lend()
    late = look(url, lambda: now() - 60_000).server
    assert abs(late.ahead_ms - 60_000) <= late.blur_ms + 1_000
    postgres.take_back(url)


MOUNTS = """\
22 1 8:1 / / rw - ext4 /dev/sda1 rw
23 22 0:5 / /srv rw shared:1 - xfs /dev/sdb rw
24 23 0:6 / /srv/far\\040away rw - nfs4 server:/x rw
25 22 0:7 / /srv rw - tmpfs tmpfs rw
26 22 0:8
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/home", "ext4"),
        ("/srv/shop", "tmpfs"),
        ("/srv/far away/data", "nfs4"),
        ("/srvother", "ext4"),
    ],
)
def test_the_file_system_of_a_folder_is_that_of_its_nearest_mount(folder, kind):
    assert filesystem_of(Path(folder), MOUNTS) == kind


def test_where_nobody_tells_there_is_no_file_system():
    assert filesystem_of(Path("/srv"), "") == ""
