"""Write the databases that later versions must be able to open: ``python -m tests.storage.kept``.

Once for each revision of the schema, by the version that has it; a file that is there already is
never written again, for it is what somebody's database looks like. SQL and not a file of SQLite's,
so that it can be read, and the same for PostgreSQL.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import MetaData, Table, select

from tests.postgres import Postgres, plain_engine
from tests.storage.kept.scene import make
from toastkit.storage import upgrade
from toastkit.storage.upgrade import HEAD, VERSION_TABLE, upgrade_sql
from toastkit.testing import ManualClock

FOLDER = Path(__file__).parent
FIRST = "0001"


def main() -> None:
    """Make the kept files of this version that are not there."""
    with tempfile.TemporaryDirectory() as folder:
        write(f"sqlite:///{folder}/kept.db", "sqlite")
    server = Postgres()
    try:
        write(server.empty(), "postgresql")
    finally:
        server.close()


def write(url: str, kind: str) -> None:
    """Write one database, and its rows as the first revision would have held them."""
    clock = ManualClock()
    upgrade(url)
    make(url, clock)
    schema = upgrade_sql(url, "base")
    first = schema.split(f"-- Running upgrade {FIRST} ->")[0]
    for revision, tables in ((HEAD, schema), (FIRST, first)):
        file = FOLDER / f"{revision}.{kind}.sql"
        if file.exists():
            print(f"{file.name} is kept as it is")
            continue
        made = f"-- A database of revision {revision}, at {clock.now()}. Never changed: see __main__.py\n"
        file.write_text(made + tidy(tables) + "\n".join(rows(url, tables)) + "\n")
        print(f"{file.name} is written; commit it")


def tidy(schema: str) -> str:
    """Return the statements of a schema alone, without those that begin and commit."""
    return re.sub(r"^(BEGIN|COMMIT);$\n+", "", schema, flags=re.MULTILINE)


def rows(url: str, schema: str) -> Iterator[str]:
    """Return a statement for each row, with the columns that the schema has."""
    engine = plain_engine(url)
    found = MetaData()
    found.reflect(engine)
    with engine.connect() as connection:
        for table in sorted(found.tables.values(), key=lambda table: table.name):
            known = [each.name for each in table.columns if has(schema, table, each.name)]
            if table.name == VERSION_TABLE or not known:
                continue
            for row in connection.execute(select(table).order_by(*table.primary_key)).mappings():
                insert = table.insert().values({name: row[name] for name in known})
                told = insert.compile(engine, compile_kwargs={"literal_binds": True})
                # psycopg doubles what would be a placeholder; nobody executes this with any.
                yield re.sub(r"\s*\n\s*(?=VALUES)", " ", str(told)).replace("%%", "%") + ";"
    engine.dispose()


def has(schema: str, table: Table, column: str) -> bool:
    """Tell whether a schema's text makes a column."""
    made = re.search(rf"CREATE TABLE {table.name} \((.*?)\n\)", schema, re.DOTALL)
    added = re.search(rf"ALTER TABLE {table.name} ADD COLUMN {column}\b", schema)
    return bool(added or (made and re.search(rf"^\s+\"?{column}\"? ", made[1], re.MULTILINE)))


if __name__ == "__main__":
    main()
