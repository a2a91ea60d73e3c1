from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.command import downgrade
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine

import toastkit.storage
from toastkit.errors import ConfigError
from toastkit.storage import upgrade
from toastkit.storage.tables import PREFIX, metadata
from toastkit.storage.upgrade import HEAD, VERSION_TABLE

MIGRATIONS = Path(toastkit.storage.__file__).parent / "migrations"


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


def test_models_and_migrations_agree(file: Path) -> None:
    fresh = engine(file)
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


def test_a_downgrade_leaves_nothing_behind(file: Path) -> None:
    upgraded = engine(file)
    with upgraded.begin() as connection:
        own = config()
        own.attributes["connection"] = connection
        downgrade(own, "base")
    upgraded.dispose()
    assert tables(file) == {VERSION_TABLE}


def test_a_newer_toolkits_database_is_refused(file: Path) -> None:
    newer = engine(file)
    with newer.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    newer.dispose()
    with pytest.raises(ConfigError, match="another version of toastkit"):
        upgrade(f"sqlite:///{file}")


def test_a_failed_upgrade_leaves_nothing_behind(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE toastkit_tickets (id INTEGER)")
    connection.close()
    with pytest.raises(Exception, match="already exists"):
        upgrade(f"sqlite:///{file}")
    assert tables(file) == {"toastkit_tickets"}


RACE = """
import os, sys
import alembic.command
from toastkit.storage import upgrade

ready, go = os.pipe()
children = []
for _ in range(32):
    pid = os.fork()
    if not pid:
        os.close(go)
        os.read(ready, 1)
        try:
            upgrade(f"sqlite:///{sys.argv[1]}")
        except BaseException as error:
            sys.stderr.write(f"{error!r}\\n")
            os._exit(1)
        os._exit(0)
    children.append(pid)
os.close(go)
sys.exit(sum(os.waitpid(pid, 0)[1] != 0 for pid in children))
"""


@pytest.mark.plain
def test_32_processes_that_start_at_once_all_succeed(file: Path) -> None:
    subprocess.run([sys.executable, "-c", RACE, str(file)], check=True, timeout=50)
    assert f"{PREFIX}toasts" in tables(file)


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
