"""What is said of a database, by what is known of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.doctor.known import database, file, server
from toastkit.doctor.database import LITTLE_BYTES, LONG_LOG_BYTES, NO_BYTES, PER_WORKER, check
from toastkit.doctor.patient import GunicornFacts
from toastkit.storage import SchemaFacts
from toastkit.storage.readers import READERS

pytestmark = pytest.mark.plain


@pytest.mark.parametrize(
    ("known", "wrong"),
    [
        (database(file=file()), []),
        (database(server=server()), []),
        (database(None, file=file(exists=False, size=0, journal="")), ["info"]),
        (database(SchemaFacts(None, hosts=False, missing=("a",)), file=file()), ["info"]),
        (database(SchemaFacts("0001", hosts=False), file=file()), ["warn"]),
        (database(SchemaFacts("9999", hosts=False), file=file()), ["fail"]),
        (database(SchemaFacts(None, hosts=True), file=file()), []),
        (database(SchemaFacts(None, hosts=True, missing=("a", "b")), file=file()), ["fail"]),
        (database(None, "file is not a database", file=file()), ["fail"]),
        (database(None, "database is locked", file=file()), ["fail"]),
        (database(None, "unable to open database file", file=file()), ["fail"]),
        (database(None, "connection refused"), ["fail"]),
    ],
)
def test_the_schema(known, wrong, facts, levels):
    assert levels(check, facts(database=known)) == [(level, "database") for level in wrong]


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"refused": "attempt to write a readonly database"}, "fail"),
        ({"folder_writable": False}, "fail"),
        ({"mode": 0o666}, "warn"),
        ({"locked": True}, "warn"),
        ({"log": LONG_LOG_BYTES + 1}, "warn"),
        ({"filesystem": "nfs4"}, "warn"),
        ({"filesystem": "tmpfs"}, "warn"),
        ({"filesystem": "overlay"}, "info"),
        ({"free": LITTLE_BYTES - 1}, "warn"),
        ({"free": NO_BYTES - 1}, "fail"),
    ],
)
def test_a_file(given, wrong, facts, levels):
    known = database(file=file(**given))
    assert levels(check, facts(database=known)) == [(wrong, "database")]


def test_a_file_with_another_journal(facts, levels):
    known = database(file=file(journal="delete"))
    assert levels(check, facts(database=known)) == [("warn", "database")]


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"standby": True}, "fail"),
        ({"read_only": True}, "fail"),
        ({"may_write": False}, "fail"),
        ({"may_write": None, "may_create": False}, "fail"),
        ({"version": "13.9"}, "warn"),
        ({"encoding": "LATIN1"}, "warn"),
        ({"most": PER_WORKER + 2}, "warn"),
        ({"role_limit": 5}, "warn"),
        ({"database_limit": 5}, "warn"),
        ({"used": 90}, "warn"),
    ],
)
def test_a_server(given, wrong, facts, levels):
    known = database(server=server(**given))
    assert levels(check, facts(database=known)) == [(wrong, "database")]


def test_a_server_lets_every_worker_in(facts, levels):
    given = {"database": database(server=server(most=60))}
    assert levels(check, facts(**given)) == []
    assert levels(check, facts(**given, gunicorn=GunicornFacts(workers=4))) == [
        ("warn", "database")
    ]


def test_the_tables_of_a_host_are_its_own_to_make(facts, levels):
    empty = facts(database=database(SchemaFacts(None, hosts=False, missing=("a",)), file=file()))
    hosts = replace(empty, patient=replace(empty.patient, own_schema=False))
    assert levels(check, hosts) == [("fail", "database")]


def test_the_command_is_named_as_it_is_called(facts):
    old = facts(database=database(SchemaFacts("0001", hosts=False), file=file()))
    flask = replace(old, patient=replace(old.patient, command="flask toastkit"))
    assert "flask toastkit upgrade" in next(iter(check(flask))).remedy


def test_the_connections_of_a_worker_are_as_many_as_it_opens():
    assert PER_WORKER == READERS + 2
