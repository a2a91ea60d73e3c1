from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.command import downgrade
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect
from sqlalchemy.exc import DBAPIError

import toastkit.storage
from tests.postgres import DATABASES, Postgres, ask, plain_engine
from toastkit.clock import SystemClock
from toastkit.errors import ConfigError, Invalid
from toastkit.records import Upgrade
from toastkit.runtime import Runtime
from toastkit.storage import Storage, upgrade
from toastkit.storage.tables import PREFIX, metadata
from toastkit.storage.upgrade import HEAD, VERSION_TABLE, ensure_schema, upgrade_sql

MIGRATIONS = Path(toastkit.storage.__file__).parent / "migrations"


@pytest.fixture(params=DATABASES)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Name a database nothing is in."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/toastkit.db"
        return
    server = request.getfixturevalue("postgres")
    fresh = server.empty()
    yield fresh
    server.drop(fresh)


def config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def engine(file: Path) -> Engine:
    upgrade(f"sqlite:///{file}")
    return create_engine(f"sqlite:///{file}")


def tables(file: Path) -> set[str]:
    with sqlite3.connect(file) as connection:
        found = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    connection.close()
    return {name for name in found if not name.startswith("sqlite_")}


def test_models_and_migrations_agree(empty: str) -> None:
    upgrade(empty)
    fresh = plain_engine(empty)
    with fresh.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
    fresh.dispose()


def test_partial_indexes_and_row_ids_agree_too(file: Path, tmp_path: Path) -> None:
    """Alembic does not compare these."""
    engine(file).dispose()
    other = tmp_path / "models.db"
    modelled = create_engine(f"sqlite:///{other}")
    metadata.create_all(modelled)
    modelled.dispose()

    def schema(path: Path) -> set[str]:
        with sqlite3.connect(path) as connection:
            query = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND tbl_name <> ?"
            found = connection.execute(query, (VERSION_TABLE,)).fetchall()
        connection.close()
        # Sorted, for a column that came later stands at the end of its table.
        return {" ".join(sorted(sql.replace(",", " ").split())) for (sql,) in found}

    assert schema(file) == schema(other)


def test_the_newest_revision_is_the_one_the_code_knows() -> None:
    assert ScriptDirectory.from_config(config()).get_current_head() == HEAD


def test_every_table_is_marked_as_toastkits(file: Path) -> None:
    engine(file).dispose()
    assert all(name.startswith(PREFIX) for name in tables(file))


def test_a_host_keeps_its_own_tables(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER)")
    connection.close()
    engine(file).dispose()
    assert "orders" in tables(file)


def test_a_downgrade_leaves_nothing_behind(empty: str) -> None:
    upgrade(empty)
    upgraded = plain_engine(empty)
    with upgraded.begin() as connection:
        own = config()
        own.attributes["connection"] = connection
        downgrade(own, "base")
    assert inspect(upgraded).get_table_names() == [VERSION_TABLE]
    upgraded.dispose()


def test_a_newer_toolkits_database_is_refused(empty: str) -> None:
    upgrade(empty)
    ask(empty, f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(ConfigError, match=r"another version of toastkit .*: install that version"):
        upgrade(empty)


def test_a_failed_upgrade_leaves_nothing_behind(empty: str) -> None:
    ask(empty, "CREATE TABLE toastkit_tickets (id INTEGER)")
    with pytest.raises(DBAPIError, match="already exists"):
        upgrade(empty)
    failed = plain_engine(empty)
    assert inspect(failed).get_table_names() == ["toastkit_tickets"]
    failed.dispose()


def test_an_upgrade_says_from_where_it_came(empty: str) -> None:
    assert upgrade(empty) == Upgrade(before=None, now=HEAD)
    assert upgrade(empty) == Upgrade(before=HEAD, now=HEAD)


@pytest.mark.parametrize("since", [None, "0002"])
def test_the_sql_of_an_upgrade_does_what_it_would(empty: str, since: str | None) -> None:
    if since is not None:
        carry_out(empty, upgrade_sql(empty, "base").split("-- Running upgrade 0002")[0] + "COMMIT;")
    carry_out(empty, upgrade_sql(empty))
    assert upgrade_sql(empty) == ""
    assert upgrade(empty) == Upgrade(before=HEAD, now=HEAD)
    fresh = plain_engine(empty)
    with fresh.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
    fresh.dispose()


def carry_out(url: str, script: str) -> None:
    """Do what an operator does with it: give it to sqlite3, or to psql."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        connection.executescript(script)
        connection.close()
    else:
        ask(url, script.replace("%", "%%"))


def test_printing_sql_makes_no_database(tmp_path: Path) -> None:
    assert upgrade_sql(f"sqlite:///{tmp_path}/toastkit.db").startswith("BEGIN;")
    assert list(tmp_path.iterdir()) == []


def test_a_named_revision_needs_no_connection() -> None:
    script = upgrade_sql("postgresql://nobody@127.0.0.1:1/nowhere", "0003")
    assert "Running upgrade 0003 -> 0004" in script
    assert "ADD COLUMN seq BIGINT" in script
    assert "0001" not in script


@pytest.mark.parametrize("since", ["9999", "0000", "0001:0002", "head", "-1", "\u0660001", ""])
def test_a_revision_that_is_none_is_refused(since: str) -> None:
    with pytest.raises(Invalid, match=HEAD):
        upgrade_sql("sqlite:////nowhere/toastkit.db", since)


def test_there_is_no_sql_from_a_newer_toolkits_database(empty: str) -> None:
    upgrade(empty)
    ask(empty, f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(ConfigError, match="another version of toastkit"):
        upgrade_sql(empty)


def test_the_sql_of_a_hosts_schema_is_the_hosts_to_say(empty: str) -> None:
    host = plain_engine(empty)
    metadata.create_all(host)
    host.dispose()
    with pytest.raises(ConfigError, match="flask db upgrade"):
        upgrade_sql(empty)
    assert upgrade(empty).hosts


def test_a_hosts_schema_is_looked_at_and_left_alone(empty: str, runtime: Runtime) -> None:
    host = plain_engine(empty)
    metadata.create_all(host)
    storage = Storage(empty, runtime, SystemClock(), own_schema=False)
    assert storage.sessions.find("h") is None
    storage.close()
    assert not inspect(host).has_table(VERSION_TABLE)
    host.dispose()


def test_a_script_that_knows_nothing_of_the_host_leaves_its_schema_alone(empty: str) -> None:
    host = plain_engine(empty)
    metadata.create_all(host)
    upgrade(empty)
    assert not inspect(host).has_table(VERSION_TABLE)
    host.dispose()
    ask(empty, "DROP TABLE toastkit_outbox")
    with pytest.raises(ConfigError, match=r"lacks toastkit_outbox,.*flask db upgrade"):
        upgrade(empty)


def test_what_a_hosts_schema_lacks_is_named_with_the_remedy(empty: str) -> None:
    host = plain_engine(empty)
    with pytest.raises(ConfigError, match=r"lacks toastkit's tables, .*flask db upgrade"):
        ensure_schema(empty)
    metadata.create_all(host)
    ensure_schema(empty)
    host.dispose()
    ask(empty, "ALTER TABLE toastkit_toasts DROP COLUMN acked_at")
    ask(empty, "DROP TABLE toastkit_outbox")
    with pytest.raises(ConfigError, match=r"lacks toastkit_toasts\.acked_at, toastkit_outbox,"):
        ensure_schema(empty)


RACE = """
import os, sys
import alembic.command
from toastkit.storage import upgrade

url, many = sys.argv[1], int(sys.argv[2])
ready, go = os.pipe()
children = []
for _ in range(many):
    pid = os.fork()
    if not pid:
        os.close(go)
        os.read(ready, 1)
        try:
            upgrade(url)
        except BaseException as error:
            sys.stderr.write(f"{error!r}\\n")
            os._exit(1)
        os._exit(0)
    children.append(pid)
os.close(go)
sys.exit(sum(os.waitpid(pid, 0)[1] != 0 for pid in children))
"""


@pytest.mark.plain
@pytest.mark.parametrize(
    ("empty", "many"), [("sqlite", 32), ("postgresql", 16)], indirect=["empty"]
)
def test_many_processes_that_start_at_once_all_succeed(empty: str, many: int) -> None:
    command = [sys.executable, "-c", RACE, empty, str(many)]
    subprocess.run(command, check=True, timeout=50)
    assert ask(empty, "SELECT count(*) FROM toastkit_toasts") == [(0,)]


@pytest.mark.plain
def test_a_start_on_a_current_schema_does_not_load_alembic(file: Path) -> None:
    engine(file).dispose()
    code = """
import sys
from toastkit.storage import upgrade
upgrade(f"sqlite:///{sys.argv[1]}")
sys.exit("alembic" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code, str(file)], check=True, timeout=30)


def test_a_role_that_may_not_create_tables_is_told_what_it_needs(postgres: Postgres) -> None:
    url = postgres.empty()
    ask(url, "CREATE ROLE guest LOGIN")
    try:
        with pytest.raises(ConfigError, match="GRANT CREATE ON SCHEMA public"):
            upgrade(url.replace("postgres:@", "guest:@"))
    finally:
        postgres.drop(url)
        postgres.run("DROP ROLE guest")
