from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, event

from tests.storage.conftest import add, numbers
from toastkit.storage.database import Database

pytestmark = pytest.mark.plain


@pytest.fixture
def answered() -> threading.Event:
    """Return what is set when whoever writes goes on."""
    return threading.Event()


@pytest.fixture
def too_early(answered: threading.Event) -> Iterator[list[bool]]:
    """Note before each commit whether somebody was answered, who is given time to be."""
    noted: list[bool] = []

    def before_commit(_connection: object) -> None:
        noted.append(answered.wait(0.2))

    event.listen(Engine, "commit", before_commit)
    yield noted
    event.remove(Engine, "commit", before_commit)


def test_nobody_is_answered_before_the_commit(
    database: Database, answered: threading.Event, too_early: list[bool]
) -> None:
    def write() -> None:
        database.write(add, 1)
        answered.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert answered.wait(10)
    writer.join()
    assert too_early == [False]
    assert numbers(database) == [1]
