"""The service's tables in a database of each kind."""

import pytest

from example_app.database import Database
from toastkit.runtime import runtime_for
from toastkit.testing import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def database(url: str) -> Database:
    return Database(url, runtime_for("threads"))
