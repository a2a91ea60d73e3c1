"""A kit's deeds are counted beside it: for whom it serves, exactly, and nearly for nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.fakes import FakeRuntime
from tests.hearing import Heard
from tests.pages import PAGES
from tests.redis import RedisServer
from tests.test_kit import DIALECT, connect, eventually, ticket
from toastkit import Config, Kit, wiring
from toastkit.backplane import MemoryBackplane
from toastkit.closing import CloseReason
from toastkit.live import Arriving
from toastkit.metrics import FOLDER, Family, Metrics
from toastkit.metrics.families import BACKPLANE, BACKPLANE_UP, HTTP, LOOP_LAG_MAX
from toastkit.metrics.metrics import GAUGE_SECONDS, MAX_SECONDS
from toastkit.metrics.probe import TICK_SECONDS
from toastkit.records import Since
from toastkit.senders import RecordingSender
from toastkit.signals import (
    client_connected,
    client_disconnected,
    delivery_settled,
    toast_published,
)
from toastkit.testing import ManualClock

Count = Callable[..., float]


@pytest.fixture(autouse=True)
def no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER, raising=False)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(database_url=f"sqlite:///{tmp_path}/toastkit.db", fallback=("email",))


@pytest.fixture
def kit(config: Config, metrics: Metrics) -> Iterator[Kit]:
    with Kit(config, metrics=metrics, senders=[RecordingSender("email")]) as kit:
        kit.node.serve()
        yield kit


@pytest.fixture
def count(metrics: Metrics) -> Count:
    """Return the number of a series, over all labels that are not named."""

    def count(name: str, **labels: str) -> float:
        families = text_string_to_metric_families(metrics.text().decode())
        return sum(
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == f"toastkit_{name}" and labels.items() <= sample.labels.items()
        )

    return count


def test_what_an_alert_asks_for_a_rise_of_is_there_before_it_rises(
    kit: Kit, metrics: Metrics
) -> None:
    assert kit.node  # it is made
    lines = metrics.text().decode().splitlines()
    rises = re.findall(r"increase\((toastkit_\w+\{[^}]*\})", PAGES["metrics.rst"])
    [rise] = [each for each in rises if BACKPLANE.name not in each]  # that tells all there is
    assert f"{rise} 0.0" in lines


def test_what_was_published_is_counted_by_what_became_of_it(kit: Kit, count: Count) -> None:
    connect(kit, "ada")
    connect(kit, "ada")
    kit.publish_toast("ada", "Hi", dedupe_key="k")
    kit.publish_toast("ada", "Hi", dedupe_key="k")
    kit.publish_toasts(["ada", "bo"], "Hi", fallback_apns=False)
    assert count("published_total", status="delivered", transport="websocket", reason="") == 2
    assert count("published_total", status="duplicate", reason="duplicate") == 1
    assert count("published_total", status="undelivered", reason="fallback_disabled") == 1
    assert count("published_total") == 4
    assert count("written_total") == 4
    assert count("confirm_seconds_count") == 3
    assert count("commit_seconds_count") >= 3
    assert count("unconfirmed_total") == 0


def test_controls_are_counted(kit: Kit, count: Count) -> None:
    kit.publish_control("flags.changed")
    assert count("controls_total") == 1


def test_deliveries_are_counted_when_they_have_ended(kit: Kit, count: Count) -> None:
    kit.publish_toast("ada", "Hi")
    eventually(lambda: count("deliveries_total", kind="email", state="sent") == 1)
    assert count("deliveries_total") == 1


def test_how_many_deliveries_wait_is_told_until_none_do(
    config: Config, metrics: Metrics, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "WAITING_SECONDS", 0.05)
    senders = [RecordingSender("email")]
    with Kit(replace(config, carry=False), metrics=metrics, senders=senders) as kit:
        kit.node.serve()
        kit.publish_toasts(["ada", "bo"], "Hi")
        eventually(lambda: count("deliveries_waiting", kind="email") == 2)
        for each in ("ada", "bo"):
            kit.data.forget(each)
        eventually(lambda: count("deliveries_waiting", kind="email") == 0)


def test_connections_are_counted_while_they_last(kit: Kit, count: Count) -> None:
    ada, bo = connect(kit, "ada"), connect(kit, "bo")
    here = {"dialect": "toasts", "transport": "websocket"}
    assert count("connections", **here) == 2
    kit.node.runtime.ask(lambda: ada.connection.end(CloseReason.SLOW_CONSUMER))
    kit.node.runtime.ask(bo.connection.lost)
    assert count("connections", **here) == 0
    assert count("connections_opened_total", **here) == 2
    assert count("connections_closed_total", reason="slow_consumer", **here) == 1
    assert count("connections_closed_total", reason="lost", **here) == 1


def test_who_was_refused_and_what_was_recovered_is_counted(kit: Kit, count: Count) -> None:
    ada = connect(kit, "ada")
    kit.node.refuse(DIALECT, CloseReason.TOKEN_EXPIRED, None)
    first = kit.publish_toast("ada", "One").id
    kit.publish_toast("ada", "Two")
    for id in (first, "nobody's"):
        subscribe = b'{"type":"subscribe","topics":["news"],"last_toast_id":"%s"}' % id.encode()
        kit.node.runtime.ask(lambda text=subscribe: ada.connection.receive(text))
        eventually(lambda: ada.connection.catching is None)
        arriving = Arriving(since=Since(toast_id=id))
        kit.node.admit(ticket("ada"), DIALECT, arriving)
    assert count("handshakes_refused_total", reason="token_expired") == 1
    assert count("recoveries_total", result="recovered") == 2
    assert count("recoveries_total", result="unknown_id") == 2
    assert count("replayed_total") == 1


def test_receivers_of_signals_are_told_as_before(kit: Kit) -> None:
    published, settled, came, went = (
        Heard(each, kit)
        for each in (toast_published, delivery_settled, client_connected, client_disconnected)
    )
    bo = connect(kit, "bo")
    kit.publish_toast("ada", "Hi")
    kit.node.runtime.ask(bo.connection.lost)
    eventually(lambda: settled.told and came.told and went.told)
    assert published.titles == ["Hi"]


@dataclass
class Alone:
    """Metrics on a clock and a loop that are moved by hand."""

    metrics: Metrics = field(default_factory=Metrics)
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.runtime = FakeRuntime(self.clock)
        self.backplane = MemoryBackplane(self.runtime)
        self.begin()

    def begin(self) -> None:
        self.metrics.begin(self.runtime, self.clock, self.backplane).start()
        self.runtime.run()

    def look(self, late: float = 0.0, after: float = TICK_SECONDS) -> None:
        self.clock.advance(after + late)
        self.runtime.fire()

    def told(self, family: Family) -> float:
        """Return what a series stands at, for whoever reads it later in a folder."""
        return self.metrics._totals.values[family, "", ()]


def test_the_latest_is_remembered_for_one_to_two_minutes() -> None:
    alone = Alone()
    alone.look(late=0.4)
    seconds = 0.0
    while alone.told(LOOP_LAG_MAX) < 0.3:
        alone.look()
    while alone.told(LOOP_LAG_MAX) > 0.3:
        alone.look()
        seconds += TICK_SECONDS
    assert MAX_SECONDS < seconds < 2 * MAX_SECONDS + 2 * GAUGE_SECONDS


def test_gauges_are_looked_at_each_second_whoever_asks() -> None:
    # What one worker writes is read by another, whom somebody has asked.
    alone = Alone()
    alone.look()
    alone.backplane.trouble = "Redis is away"  # type: ignore[assignment]
    alone.look(after=GAUGE_SECONDS)
    assert alone.told(BACKPLANE_UP) == 0


def test_what_a_parent_has_noted_its_child_does_not_count() -> None:
    alone = Alone()
    alone.metrics.answered("publish_toast", 202, 0.1)
    alone.metrics.abandon()
    alone.begin()
    alone.look()
    assert HTTP not in {family for family, _, _ in alone.metrics._totals.values}


def test_a_process_that_serves_nobody_counts_nothing(config: Config, metrics: Metrics) -> None:
    with Kit(config, metrics=metrics) as kit:
        kit.publish_toast("ada", "Hi")
        assert (metrics.text(), len(metrics._notes)) == (b"", 0)


@pytest.mark.usefixtures("kit")
def test_the_loop_is_looked_at_all_the_time(count: Count) -> None:
    eventually(lambda: count("loop_lag_seconds_count") > 2)
    assert count("workers") == 1


def test_a_loop_that_stood_still_is_told(kit: Kit, count: Count) -> None:
    eventually(lambda: count("loop_lag_seconds_count") > 0)

    def hold() -> None:
        until = time.monotonic() + 0.3
        while time.monotonic() < until:
            pass

    kit.node.runtime.ask(hold)
    eventually(lambda: count("loop_lag_max_seconds") >= 0.2)
    bucket = count("loop_lag_seconds_bucket", le="0.1")
    assert count("loop_lag_seconds_count") > bucket


@dataclass
class Counts:
    events: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


def test_what_the_backplane_counts_is_told_as_it_rises(
    kit: Kit, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = Counts(3, Counter(version=1))
    monkeypatch.setattr(kit._ground.backplane, "counts", counts, raising=False)
    assert count("backplane_events_total", event="events") == 3
    counts.events, counts.dropped["route"] = 5, 2
    assert count("backplane_events_total", event="events") == 5
    assert count("backplane_events_total", event="dropped") == 3
    assert count("backplane_events_total", event="dropped_version") == 1
    assert count("backplane_events_total", event="dropped_route") == 2
    assert count("backplane_up") == 1
    monkeypatch.setattr(type(kit._ground.backplane), "trouble", "Redis is away")
    assert count("backplane_up") == 0


def test_a_redis_that_goes_and_comes_back_is_told(
    config: Config, metrics: Metrics, count: Count, own_redis: RedisServer
) -> None:
    with Kit(replace(config, redis_url=own_redis.url), metrics=metrics) as kit:
        kit.node.serve()
        kit.publish_control("flags.changed")
        eventually(lambda: count("backplane_events_total", event="events"))
        assert count("backplane_up") == 1
        own_redis.kill()
        eventually(lambda: not count("backplane_up"))
        own_redis.start()
        eventually(lambda: count("backplane_up"))
        assert count("backplane_events_total", event="reconnects") >= 1


def test_what_not_everybody_answered_is_counted(kit: Kit, count: Count) -> None:
    kit._ground.backplane.share()
    kit.publish_toast("ada", "Hi")
    assert count("unconfirmed_total") == 1
    assert count("published_total", status="queued") == 1


def test_in_a_folder_it_is_there_when_the_process_has_ended(
    config: Config, metrics: Metrics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "counted"
    folder.mkdir()
    monkeypatch.setenv(FOLDER, str(folder))
    with Kit(config, metrics=metrics) as kit:
        kit.node.serve()
        connect(kit, "ada")
        kit.publish_toast("ada", "Hi")
        assert b"toastkit_workers 1.0" in metrics.text()
    other = Metrics()
    with Kit(config, metrics=other) as kit:
        kit.node.serve()
        told = other.text().decode()
    assert "toastkit_written_total 1.0" in told
    assert 'toastkit_connections{dialect="toasts",transport="websocket"} 0.0' in told
    assert 'reason="restart"' in told
    assert "toastkit_workers 1.0" in told
    assert {file.name.split("_")[0] for file in folder.glob("*.db")} == {
        *("counter", "gauge", "histogram")
    }


def test_where_the_folder_cannot_be_written_the_process_counts_alone(
    config: Config, metrics: Metrics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def fail(_file: Path, _content: bytes) -> int:
        raise OSError("no space left on device")

    monkeypatch.setenv(FOLDER, str(tmp_path))
    monkeypatch.setattr(Path, "write_bytes", fail)
    with Kit(config, metrics=metrics) as kit:
        kit.node.serve()
        kit.publish_control("flags.changed")
        assert b"toastkit_controls_total 1.0" in metrics.text()
    assert caplog.text.count("no space left on device") == 1


FORKS = """
import os
from toastkit import Config, Kit
from toastkit.metrics import Metrics

metrics = Metrics()
with Kit(Config(database_url=os.environ["DATABASE"]), metrics=metrics) as kit:
    kit.node.serve()
    kit.publish_control("flags.changed")
    metrics.text()
    if not (pid := os.fork()):
        assert metrics.text() == b"", "what is its parent's it does not tell"
        kit.node.serve()
        kit.publish_control("flags.changed")
        os._exit(0 if b"toastkit_controls_total 2.0" in metrics.text() else 1)
    print(os.waitpid(pid, 0)[1], metrics.text().decode())
"""


@pytest.mark.plain
def test_a_forked_child_counts_from_nothing_in_files_of_its_own(
    config: Config, tmp_path: Path
) -> None:
    environ = {**os.environ, FOLDER: str(tmp_path), "DATABASE": config.database_url}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKS],
        check=False,
        env=environ,
        capture_output=True,
        timeout=60,
    )
    assert done.stdout.startswith(b"0 "), (done.stdout, done.stderr)
    assert b"toastkit_controls_total 2.0" in done.stdout
