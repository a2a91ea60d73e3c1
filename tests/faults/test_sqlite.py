"""SQLite that is locked by somebody else, or whose disk is full: refused in time, nothing lost."""

import os
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from tests.faults.conftest import BACK_SECONDS, STALL_SECONDS, Stream, settle
from tests.postgres import ask, plain_engine

pytestmark = pytest.mark.plain
REFUSED_SECONDS = 3
"""Two seconds, and a busy machine."""


def test_a_locked_database_refuses_in_time_and_holds_up_no_socket(make_cluster, flock):
    cluster = make_cluster(workers=1)
    birds = flock(cluster)
    birds.come(cluster, ["ada"] * 3)
    assert birds.run(birds.all_here)
    cluster.worst_stall()
    engine = plain_engine(cluster.database)
    with Stream([cluster], "ada") as stream:
        stream.many()
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            before = len(stream.tries)
            assert birds.run(lambda: 503 in stream.statuses(), 10), "the lock harmed nobody"
            connection.rollback()
        freed = time.monotonic()
        assert birds.run(lambda: stream.tries[-1].status == 202 and stream.tries[-1].at > freed)
        assert time.monotonic() - freed < BACK_SECONDS
    engine.dispose()
    assert stream.statuses() == {202, 503}
    assert max(each.seconds for each in stream.tries[before:]) < REFUSED_SECONDS
    settle(birds, stream)
    assert not any(bird.codes for bird in birds.birds), "a socket ended"
    assert cluster.worst_stall() < STALL_SECONDS


@pytest.fixture
def on_small_disk(make_cluster, tmp_path):
    """Start a service whose database lies on a disk of 4 MB; return it, and its disk from here."""
    disk = tmp_path / "disk"
    disk.mkdir()
    inside = ["-m", "tests.faults.small_disk", str(disk), "4000000"]
    tried = subprocess.run(
        [sys.executable, *inside, "-c", ""], check=False, capture_output=True, text=True
    )
    if tried.returncode:
        pytest.skip(f"no disk can be mounted here: {tried.stderr.splitlines()[-1]}")
    cluster = make_cluster(database=f"sqlite:///{disk}/toastkit.db", workers=1, inside=inside)
    seen = f"/proc/{cluster.pid}/root{disk}"
    assert os.path.ismount(seen) or os.path.exists(f"{seen}/toastkit.db")
    return cluster, seen


def test_a_full_disk_refuses_reads_go_on_and_what_was_accepted_stays(on_small_disk, flock):
    cluster, disk = on_small_disk
    birds = flock(cluster)
    birds.come(cluster, ["ada"])
    assert birds.run(birds.all_here)
    session = {"Authorization": f"Bearer {cluster.sessions('ada')[0]}"}
    cluster.worst_stall()
    with Stream([cluster], "ada", body="y" * 2000) as stream:
        stream.many(60)
        fill(f"{disk}/filling")
        assert birds.run(lambda: 503 in stream.statuses(), 20), "the disk was never full"
        status, listed = cluster.request("GET", "/v1/toasts", **session)
        assert status == 200, listed
        assert {each["title"] for each in listed["items"]} <= set(stream.accepted().values())
        os.remove(f"{disk}/filling")
        freed = time.monotonic()
        assert birds.run(lambda: stream.tries[-1].status == 202 and stream.tries[-1].at > freed)
        assert time.monotonic() - freed < BACK_SECONDS
    assert stream.statuses() == {202, 503}
    settle(birds, stream)
    assert not any(bird.codes for bird in birds.birds), "a socket ended"
    assert cluster.worst_stall() < STALL_SECONDS
    assert ask(f"sqlite:///{disk}/toastkit.db", "PRAGMA integrity_check") == [("ok",)]


def fill(path):
    """Write a file until the disk is full."""
    with open(path, "wb", buffering=0) as file:
        written = 4096
        with suppress(OSError):
            while written == 4096:
                written = file.write(bytes(4096))
    assert os.statvfs(path).f_bfree == 0
