"""``toastkit tail``: what is published, in whatever process, and what becomes of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import one_line
from toastkit import Config, Kit
from toastkit.cli import tail as command
from toastkit.errors import StorageUnavailable

ROOT = Path(__file__).parents[2]
AT = "2026-01-01T00:00:00+00:00"


class Looks:
    """A tail that does what a test says before each look; at the end somebody presses Ctrl-C."""

    def __init__(self, followed, steps):
        self.begin = followed.begin
        self._followed = followed
        self._steps = iter(steps)

    def look(self):
        step = next(self._steps, KeyboardInterrupt())
        if isinstance(step, BaseException):
            raise step
        step()
        return self._followed.look()


@pytest.fixture
def looks(kit, monkeypatch):
    """Have ``toastkit tail`` look once after each step, and end."""
    monkeypatch.setattr(command, "LOOK_SECONDS", 0)
    tail = kit.toasts.tail

    def looks(*steps):
        monkeypatch.setattr(kit.toasts, "tail", lambda *asked: Looks(tail(*asked), steps))

    return looks


def test_it_shows_what_is_there_and_what_comes_and_ends_with_0(kit, run, looks):
    first = kit.publish_toast("ada", "First").id
    later = []
    looks(lambda: later.append(kit.publish_toast("bob", "Later", topic="orders").id), lambda: None)
    code, said, complaint = run("tail")
    assert (code, complaint) == (0, "")
    assert said.splitlines() == [
        f"{AT}  {first}  ada  user:ada  accepted (undecided)  First",
        f"{AT}  {later[0]}  bob  orders  accepted (undecided)  Later",
    ]


def test_it_says_what_became_of_a_toast(kit, run, looks, clock):
    kit.node.serve()
    id = kit.publish_toast("ada", "Hello").id
    kit.toasts.explain(id)

    def read():
        clock.advance(60)
        kit.toasts.read("ada", id)

    looks(read)
    assert run("tail")[1].splitlines() == [
        f"{AT}  {id}  ada  user:ada  undelivered (no_session)  Hello",
        f"2026-01-01T00:01:00+00:00  {id}  ada  user:ada  undelivered (read)",
    ]


def test_programs_get_a_line_of_json_for_each(kit, run):
    id = kit.publish_toast("ada", "Größe").id
    code, said, _ = run("tail", "--once", "--json")
    assert (code, said.count("\n")) == (0, 1)
    assert json.loads(said) == {
        "at": AT,
        "new": True,
        "id": id,
        "user_id": "ada",
        "topic": "user:ada",
        "title": "Größe",
        "state": "accepted",
        "why": "undecided",
        "transport": None,
        "session_count": None,
    }


@pytest.fixture
def _far_east():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_far_east")
def test_a_time_without_a_zone_is_utc_wherever_the_machine_is(kit, run):
    kit.publish_toast("ada", "A")
    assert run("tail", "--once", "--since", "2025-12-31T23:00")[1] != ""
    assert run("tail", "--once", "--since", "2026-01-01T05:00")[1] == ""


def test_fewer_and_other_toasts_may_be_wanted(kit, run, clock):
    for number in range(12):
        kit.publish_toast("ada", f"A{number}", topic="orders" if number % 2 else None)
        clock.advance(60)
    kit.publish_toast("bob", "B")

    def titles(*words):
        code, said, _ = run("tail", "--once", *words)
        assert code == 0
        return [line.split()[-1] for line in said.splitlines()]

    assert titles() == [*(f"A{number}" for number in range(3, 12)), "B"]
    assert titles("--last", "1") == ["B"]
    assert titles("--last", "0") == []
    assert titles("--user", "ada", "--last", "2") == ["A10", "A11"]
    assert titles("--topic", "orders", "--since", "5m") == ["A7", "A9", "A11"]
    assert titles("--since", "2026-01-01T01:10:30+01:00") == ["A11", "B"]
    assert titles("--since", "2026-01-01T00:10:30", "--last", "1") == ["B"]
    assert titles("--user", "carol") == []
    assert titles("--topic", "user:bob", "--since", "1d") == ["B"]


def test_a_title_steers_no_terminal(kit, run):
    kit.publish_toast("ada", "\x1b[2J\nError: x\u202e")
    said = run("tail", "--once")[1]
    assert said.endswith("  \\x1b[2J\\nError: x\\u202e\n")
    assert said.count("\n") == 1


def test_a_database_that_is_away_for_a_while_is_told_of_once(kit, run, looks):
    away = StorageUnavailable("the database is locked")
    looks(away, away, lambda: kit.publish_toast("ada", "Later"), lambda: None)
    code, said, told = run("tail")
    assert code == 0
    assert said.endswith("  Later\n")
    assert told == "the database is locked; looking on\nthe database is back\n"


def test_it_ends_when_nobody_reads_on(kit, run, looks, monkeypatch):
    monkeypatch.setattr(command, "nobody_reads", lambda: True)
    looks(lambda: None, AssertionError("it looked once more"))
    assert run("tail")[0] == 0


def test_at_the_start_a_database_that_is_away_is_1(make_kit, run, kit, monkeypatch):
    def away(*_):
        raise StorageUnavailable("the database is locked")

    monkeypatch.setattr("toastkit.publishing.tail.Tail.begin", away)
    code, said, complaint = run("tail")
    assert (code, said, one_line(complaint)) == (1, "", True)


@pytest.fixture
def following(tmp_path):
    """Run ``toastkit tail`` in a process of its own, on a database of ours."""
    url = f"sqlite:///{tmp_path}/toasts.db"
    with Kit(Config(database_url=url)) as kit:
        kit.publish_toast("ada", "First")
        process = subprocess.Popen(
            [sys.executable, "-m", "toastkit", "tail"],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATABASE_URL": url},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout.readline().endswith("  First\n")
        yield process, kit
    process.kill()
    process.communicate()


@pytest.mark.plain
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_another_process_is_followed_until_it_is_told_to_end(following, number):
    process, kit = following
    kit.publish_toast("bob", "Later")
    assert process.stdout.readline().endswith("  Later\n")
    process.send_signal(number)
    said, told = process.communicate(timeout=50)
    assert (process.returncode, said, told) == (0, "", "")


@pytest.mark.plain
def test_whoever_reads_its_lines_may_go(following):
    process, _ = following
    process.stdout.close()
    assert (process.wait(timeout=50), process.stderr.read()) == (0, "")
