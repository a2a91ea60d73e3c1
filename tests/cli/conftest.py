"""Run ``toastkit …`` in this process."""

from __future__ import annotations

from contextlib import ExitStack
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from tests.verifiers.forgeries import NOW
from toastkit import Config, Kit, current
from toastkit.cli import group, words
from toastkit.testing import ManualClock


@pytest.fixture
def clock():
    return ManualClock(NOW * 1000)


@pytest.fixture
def make_kit(tmp_path_factory, clock):
    """Make kits with settings by field name, on one database unless it is named."""
    folder = tmp_path_factory.mktemp("database")
    with ExitStack() as kits:

        def make(senders=(), **settings):
            given = {"database_url": f"sqlite:///{folder}/toasts.db", **settings}
            return kits.enter_context(Kit(Config(**given), senders=senders, clock=clock))

        yield make


@pytest.fixture
def kit(make_kit):
    return make_kit()


@pytest.fixture
def run(kit):
    """Run ``toastkit …`` on the kit; return its exit code, stdout and stderr."""
    return runner(kit)


@pytest.fixture
def at_once(monkeypatch):
    """Tell every step of long work, not one a second."""
    monkeypatch.setattr(words, "PROGRESS_SECONDS", 0)


def runner(kit):
    def run(*words, answer=None):
        with patch.object(current, "_finders", [lambda: kit]):
            done = CliRunner().invoke(group, words, input=answer, prog_name="toastkit")
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout, done.stderr

    return run


def one_line(text):
    return text.startswith("Error: ") and text.count("\n") == 1
