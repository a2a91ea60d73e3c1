"""The shop's migrations: toastkit's tables come with the first, and nothing is changed ever after."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedding.harness import HOSTS, ROOT, Host

pytestmark = pytest.mark.plain

BEFORE = """
from steps import db
db("init")
db("migrate", "-m", "first")
db("upgrade")
"""
AFTER = """
from steps import db, migrations, tables
from toastkit.storage.tables import metadata

OURS = set(metadata.tables)
theirs = tables()
assert not theirs & OURS, theirs
first = migrations()
db("migrate", "-m", "toasts")
[toasts] = migrations() - first
text = toasts.read_text()
assert all(f"create_table('{name}'" in text for name in OURS)
assert not any(f"'{name}'" in text for name in theirs - {"alembic_version"}), text

db("upgrade")
assert tables() == theirs | OURS
db("check")  # fails when there is anything to add or drop

from shop import create_app
from shop.extensions import db as database
from shop.models import User
from toastkit import publish_toast
app = create_app()
with app.app_context():
    database.session.add(User(email="ada@example.com", password_hash="x"))
    publish_toast(1, "Welcome")
    database.session.commit()
    kit = app.extensions["toastkit"].kit
    assert [toast.title for toast in kit.toasts.list("1").items] == ["Welcome"]
    kit.close()
    database.engine.dispose()
db("check")  # fails when there is anything to add or drop

db("downgrade")
assert tables() == theirs, tables()
db("upgrade")
assert tables() == theirs | OURS
"""
STEPS = '''
from pathlib import Path
from flask_migrate import Migrate
from shop import create_app
from shop.extensions import db as database
from sqlalchemy import inspect

def db(*arguments):
    """Run flask db ..."""
    app = create_app()
    done = app.test_cli_runner().invoke(args=["db", *arguments])
    assert done.exit_code == 0, (arguments, done.output, done.exception)
    with app.app_context():
        database.engine.dispose()
    return done.output

def migrations():
    return set(Path("migrations", "versions").glob("*.py"))

def tables():
    app = create_app()
    with app.app_context():
        found = set(inspect(database.engine).get_table_names())
        database.engine.dispose()
    return found
'''


@pytest.fixture(params=["sqlite", "postgresql"])
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/shop.db"
        return
    server = request.getfixturevalue("postgres")
    empty = server.empty()
    yield empty.replace("postgresql:", "postgresql+psycopg:")
    server.drop(empty)


def python(folder: Path, code: str, uri: str) -> None:
    environ = {**os.environ, "DATABASE_URL": uri, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    (folder / "steps.py").write_text(STEPS)
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=folder, env=environ, check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_hosts_migrations_make_the_tables_once_and_take_them_back(
    uri: str, tmp_path: Path
) -> None:
    shop = Host(HOSTS / "shop")
    before, after = shop.before(tmp_path / "before"), shop.after(tmp_path / "after")
    python(before, BEFORE, uri)
    (before / "migrations").rename(after / "migrations")
    python(after, AFTER, uri)
