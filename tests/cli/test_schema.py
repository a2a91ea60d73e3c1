"""``toastkit upgrade``: the schema before its first use, or as SQL for who may change tables."""

from __future__ import annotations

import json
import sqlite3

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

from tests.cli.conftest import one_line, runner
from toastkit import Config, Host, Kit
from toastkit.storage.tables import metadata
from toastkit.storage.upgrade import HEAD, upgrade_sql

pytestmark = pytest.mark.plain


@pytest.fixture
def old(tmp_path):
    """Name a database at revision 0002."""
    file = tmp_path / "old.db"
    connection = sqlite3.connect(file)
    connection.executescript(
        upgrade_sql(f"sqlite:///{file}", "base").split("-- Running upgrade 0002")[0] + "COMMIT;"
    )
    connection.close()
    return f"sqlite:///{file}"


def test_it_says_from_where_and_where_to(make_kit, old):
    run = runner(make_kit(database_url=old))
    assert run("upgrade") == (0, f"upgraded from 0002 to {HEAD}\n", "")
    assert run("upgrade") == (0, f"nothing to do: the schema is at {HEAD}, the newest\n", "")


def test_programs_get_json(make_kit, old):
    code, said, _ = runner(make_kit(database_url=old))("upgrade", "--json")
    assert (code, json.loads(said)) == (0, {"before": "0002", "now": HEAD, "hosts": False})


def test_sql_changes_nothing(make_kit, old):
    run = runner(make_kit(database_url=old))
    code, said, complaint = run("upgrade", "--sql")
    assert (code, said.rstrip("\n"), complaint) == (0, upgrade_sql(old).rstrip("\n"), "")
    assert "Running upgrade 0002 -> 0003" in said
    assert json.loads(run("upgrade", "--sql", "--json")[1]) == {"sql": upgrade_sql(old)}
    assert run("upgrade")[1] == f"upgraded from 0002 to {HEAD}\n"
    code, said, told = run("upgrade", "--sql")
    assert (code, said, told.count("\n")) == (0, "", 1)


def test_sql_from_a_named_revision_connects_to_nothing(make_kit):
    url = "postgresql://nobody:hunter2@127.0.0.1:1/nowhere"
    run = runner(make_kit(database_url=url))
    code, said, complaint = run("upgrade", "--sql", "--from", "base")
    assert (code, complaint) == (0, "")
    assert "CREATE TABLE toastkit_toasts" in said
    assert "hunter2" not in said
    code, said, complaint = run("upgrade", "--sql", "--from", "9999")
    assert (code, said, one_line(complaint)) == (2, "", True)
    code, said, complaint = run("upgrade", "--sql")
    assert (code, said, one_line(complaint)) == (1, "", True)
    assert "hunter2" not in complaint


def test_a_schema_of_a_newer_toastkit_is_1(make_kit, old):
    kit = make_kit(database_url=old)
    runner(kit)("upgrade")
    engine = create_engine(old)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE toastkit_alembic_version SET version_num = '9999'")
    engine.dispose()
    for words in (("upgrade",), ("upgrade", "--sql"), ("explain", "0" * 26)):
        code, said, complaint = runner(make_kit(database_url=old))(*words)
        assert (code, said, one_line(complaint)) == (1, "", True)
        assert "another version of toastkit" in complaint


def test_a_hosts_tables_are_left_to_its_migrations(tmp_path):
    url = f"sqlite:///{tmp_path}/shop.db"
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE orders (id INTEGER)")
    host = Host(sessionmaker(engine), lambda: None)
    with Kit(Config(database_url=url), host=host) as kit:
        run = runner(kit)
        for words in (("upgrade",), ("upgrade", "--sql")):
            code, said, complaint = run(*words)
            assert (code, said, one_line(complaint)) == (1, "", True)
            assert "flask db upgrade" in complaint
        metadata.create_all(engine)
        code, said, _ = run("upgrade")
        assert code == 0
        assert "flask db upgrade" in said
    engine.dispose()
