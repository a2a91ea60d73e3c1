"""What workers have counted, in files that outlive them."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from toastkit.metrics import folder
from toastkit.metrics.families import (
    BACKPLANE_UP,
    COMMIT,
    CONNECTIONS,
    LOOP_LAG_MAX,
    PUBLISHED,
    WORKERS,
)
from toastkit.metrics.folder import Folder, bury, empty, read
from toastkit.metrics.page import metrics, text
from toastkit.metrics.totals import Totals

pytestmark = pytest.mark.plain

Found = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def parsed(page: bytes) -> Found:
    families = text_string_to_metric_families(page.decode())
    each = [sample for family in families for sample in family.samples]
    found = {(one.name, tuple(sorted(one.labels.items()))): one.value for one in each}
    assert len(found) == len(each)
    return found


def counted(times: int) -> Totals:
    totals = Totals()
    totals.add(PUBLISHED, "delivered", "websocket", "", by=float(times))
    totals.put(CONNECTIONS, float(times), "toasts", "websocket")
    totals.put(WORKERS, 1.0)
    totals.put(LOOP_LAG_MAX, times / 10)
    totals.put(BACKPLANE_UP, float(times != 3))
    for number in range(times):
        totals.observe(COMMIT, number / 100)
    return totals


def keep(path: Path, totals: Totals) -> None:
    with closing(Folder(str(path))) as here:
        here.write(totals)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Write what a worker with a process number has counted."""

    def write(pid: int, times: int) -> None:
        monkeypatch.setattr(os, "getpid", lambda: pid)
        keep(tmp_path, counted(times))

    return write


@pytest.fixture
def dead() -> int:
    """Return the number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def value(found: Found, name: str, **labels: str) -> float:
    return found[f"toastkit_{name}", tuple(sorted(labels.items()))]


def test_counters_are_added_and_a_gauge_is_what_its_mode_says(worker: Any, tmp_path: Path) -> None:
    worker(os.getpid(), 2)
    worker(os.getppid(), 3)
    found = parsed(read(str(tmp_path)))
    shown = {"status": "delivered", "transport": "websocket", "reason": ""}
    assert value(found, "published_total", **shown) == 5
    assert value(found, "connections", dialect="toasts", transport="websocket") == 5
    assert (value(found, "workers"), value(found, "loop_lag_max_seconds")) == (2, 0.3)
    assert value(found, "backplane_up") == 0
    assert value(found, "commit_seconds_count") == 5
    assert value(found, "commit_seconds_bucket", le="0.01") == 4
    assert value(found, "commit_seconds_sum") == pytest.approx(0.04)


def test_one_worker_tells_in_the_folder_what_it_tells_alone(worker: Any, tmp_path: Path) -> None:
    worker(1, 3)
    assert parsed(read(str(tmp_path))) == parsed(text(metrics(counted(3))))


def test_whoever_belongs_to_somebody_else_lives(
    worker: Any, tmp_path: Path, dead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_pid: int, _signal: int) -> None:
        raise PermissionError

    worker(dead, 1)
    before = sorted(tmp_path.glob("*.db"))
    monkeypatch.setattr(os, "kill", refuse)
    bury(str(tmp_path))
    assert sorted(tmp_path.glob("*.db")) == before


def test_of_the_dead_the_gauges_go_and_the_counters_stay(
    worker: Any, tmp_path: Path, dead: int
) -> None:
    worker(dead, 4)
    worker(os.getppid(), 2)
    before = parsed(read(str(tmp_path)))
    for _ in range(2):  # whom it has been done for already stays what it is
        bury(str(tmp_path))
        after = parsed(read(str(tmp_path)))
        assert value(after, "connections", dialect="toasts", transport="websocket") == 2
        assert value(after, "workers") == 1
        gauges = ("connections", "workers", "backplane_up", "lag_max_seconds")
        kept = {key: number for key, number in before.items() if not key[0].endswith(gauges)}
        assert kept.items() <= after.items()
    assert not list(tmp_path.glob(f"*_{dead}-*"))


def test_the_dead_are_put_together_whoever_was_before(
    worker: Any, tmp_path: Path, dead: int
) -> None:
    for times in (1, 2, 3):
        worker(dead, times)
        bury(str(tmp_path))
    assert sorted(file.name for file in tmp_path.glob("*.db")) == [
        "counter_0-dead.db",
        "histogram_0-dead.db",
    ]
    assert value(parsed(read(str(tmp_path))), "commit_seconds_count") == 6


def test_the_number_of_a_process_that_comes_again_takes_nothing_away(
    worker: Any, tmp_path: Path
) -> None:
    worker(os.getpid(), 4)
    worker(os.getpid(), 1)
    assert value(parsed(read(str(tmp_path))), "commit_seconds_count") == 5


def test_who_looks_after_workers_waits_for_no_reader(
    worker: Any, tmp_path: Path, dead: int
) -> None:
    worker(dead, 4)
    with (tmp_path / "lock").open("w") as reader:
        fcntl.flock(reader, fcntl.LOCK_SH)
        bury(str(tmp_path))
        assert [file.name[:7] for file in sorted(tmp_path.glob("*.db"))] == ["counter", "histogr"]
    bury(str(tmp_path))
    assert not list(tmp_path.glob(f"*_{dead}-*"))


def test_nobody_reads_while_numbers_are_in_two_files_or_none(
    worker: Any, tmp_path: Path, dead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker(dead, 4)
    pages: list[bytes] = []
    reader = threading.Thread(target=lambda: pages.append(read(str(tmp_path))))
    put_together = folder._put_together

    def slowly(*given: Any) -> None:
        if not reader.ident:
            reader.start()
        reader.join(0.1)
        assert not pages
        put_together(*given)

    monkeypatch.setattr(folder, "_put_together", slowly)
    bury(str(tmp_path))
    reader.join()
    assert value(parsed(pages[0]), "commit_seconds_count") == 4


def test_other_metrics_in_the_folder_are_not_told(worker: Any, tmp_path: Path, dead: int) -> None:
    theirs = tmp_path / f"counter_{dead}.db"
    theirs.write_bytes(b"of the host, and none of our business")
    worker(dead, 1)
    bury(str(tmp_path))
    read(str(tmp_path))
    assert theirs.exists()


def test_a_full_disk_is_told_and_nothing_is_left_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_file: Path, _content: bytes) -> int:
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OSError, match="no space"):
        keep(tmp_path, counted(1))
    monkeypatch.undo()
    assert read(str(tmp_path)).strip() == b""


def test_every_series_there_may_be_fits_in_what_a_file_has_at_first(tmp_path: Path) -> None:
    totals = Totals()
    for operation in range(100):
        totals.observe(COMMIT, 1.0, f"an-operation-with-quite-a-long-name-{operation}")
    keep(tmp_path, totals)
    assert [file.stat().st_size for file in tmp_path.glob("*.db")] == [folder.BYTES]


def test_a_folder_is_made_and_emptied(tmp_path: Path, worker: Any) -> None:
    new = tmp_path / "not" / "there"
    empty(str(new))
    assert new.stat().st_mode & 0o777 == 0o700
    worker(1, 1)
    (tmp_path / "keep.txt").write_text("no file of metrics")
    empty(str(tmp_path))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["keep.txt", "not"]
