"""The command ``toastkit``: without Flask, on a kit of the environment's settings."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.cli.conftest import one_line
from toastkit import Config, Kit, current
from toastkit.cli import group
from toastkit.cli.main import Environment
from toastkit.kit import SLICE

pytestmark = pytest.mark.plain

ROOT = Path(__file__).parents[2]


@pytest.fixture
def start(tmp_path):
    """Start a command in an empty folder; it ends with the test."""
    started = []

    def start(*words, **environment):
        known = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            env=known | environment,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def process(start):
    """Run ``python -m toastkit …``; return its exit code, stdout and stderr."""

    def process(*words, **environment):
        running = start("toastkit", *words, **environment)
        said, complaint = running.communicate(timeout=50)
        return running.returncode, said, complaint

    return process


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/toasts.db"


def test_without_a_database_it_names_the_variable(process):
    code, said, complaint = process("explain", "x")
    assert (code, said) == (1, "")
    assert one_line(complaint)
    assert "DATABASE_URL" in complaint


def test_help_needs_no_database(monkeypatch):
    monkeypatch.setattr(current, "_finders", [Environment().kit])
    monkeypatch.delenv("DATABASE_URL", raising=False)
    for words in (["--help"], ["--version"], ["explain", "--help"]):
        assert CliRunner().invoke(group, words).exit_code == 0
    assert CliRunner().invoke(group, ["explain", "x"]).exit_code == 1


def complete(how, **typed):
    given = {"_TOASTKIT_COMPLETE": how, **typed}
    return CliRunner().invoke(group, env=given, prog_name="toastkit").stdout


def test_a_shell_can_complete_its_words():
    assert "complete -o nosort -F _toastkit_completion" in complete("bash_source")
    words = complete("bash_complete", COMP_WORDS="toastkit pu", COMP_CWORD="1")
    assert words == "plain,publish\n"
    options = complete("bash_complete", COMP_WORDS="toastkit publish --style ", COMP_CWORD="3")
    assert "plain,warning\n" in options


def test_any_terminal_will_do_and_a_setting_that_is_none_is_one_line(process, url):
    with Kit(Config(database_url=url)) as kit:
        kit.publish_toast("ada", "\u2713 x")
    given = {"TOASTKIT_PUBLISH_SECRET": "hunter2", "TOASTKIT_CONFRIM_MS": "5"}
    code, said, told = process(
        "tail", "--once", DATABASE_URL=url, PYTHONIOENCODING="iso8859-1", **given
    )
    assert (code, said.endswith("  \\u2713 x\n")) == (0, True)
    assert told.startswith("Warning: TOASTKIT_CONFRIM_MS is no setting of toastkit; did you mean ")
    assert told.count("\n") == 1
    assert "hunter2" not in said + told


def test_ctrl_c_while_many_are_published_says_how_many(start, url, tmp_path):
    (tmp_path / "users.txt").write_text("".join(f"user{number}\n" for number in range(20_000)))
    words = ("publish", "--users-from", "users.txt", "Hello", "--dedupe-key", "k")
    running = start("toastkit", *words, DATABASE_URL=url)
    lines = [running.stdout.readline() for _ in range(200)]
    running.send_signal(signal.SIGINT)
    printed = len(lines) + running.stdout.read().count("\n")
    complaint = running.stderr.read()
    running.wait(timeout=50)
    told = re.fullmatch(
        r"(?:published .*\n)*Error: stopped: (\d+) of 20000 were published, .*\n", complaint
    )
    assert (running.returncode, told is not None) == (1, True), complaint
    assert int(told[1]) <= printed < 20_000
    with Kit(Config(database_url=url)) as kit:
        kept = len(kit.toasts.tail().begin(20_001))
    assert int(told[1]) <= kept <= int(told[1]) + SLICE


def test_a_reader_that_goes_does_not_stop_a_publish_and_nobody_complains(start, url, tmp_path):
    (tmp_path / "users.txt").write_text("".join(f"user{number}\n" for number in range(2000)))
    running = start("toastkit", "publish", "--users-from", "users.txt", "Hello", DATABASE_URL=url)
    assert running.stdout.readline().endswith("  user0  queued\n")
    running.stdout.close()
    told = running.stderr.read()
    assert re.fullmatch(r"(published \d+ of 2000\n)*published 2000: 2000 queued\n", told)
    assert running.wait(timeout=50) == 0


def test_beside_an_app_each_sees_what_the_other_does(start, url):
    with Kit(Config(database_url=url)) as kit:
        id = kit.publish_toast("ada", "Hello").id
        demo = {"DATABASE_URL": url, "TOASTKIT_DEMO": "1"}
        app = start("flask", "--app", "example_app.wsgi", "toastkit", "explain", id, **demo)
        said, complaint = app.communicate(timeout=50)
    assert app.returncode == 0, complaint
    assert "state  accepted (undecided)" in said
