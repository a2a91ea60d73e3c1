"""The command ``toastkit``: without Flask, on a kit of the environment's settings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import one_line
from toastkit import Config, Kit

pytestmark = pytest.mark.plain

ROOT = Path(__file__).parents[2]


@pytest.fixture
def process(tmp_path):
    """Run ``python -m toastkit …`` in an empty folder; return its exit code, stdout and stderr."""

    def process(*words, **environment):
        known = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-m", "toastkit", *words],
            env=known | environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return process


def test_it_works_on_the_environments_database(process, tmp_path):
    url = f"sqlite:///{tmp_path}/toasts.db"
    with Kit(Config(database_url=url)) as kit:
        id = kit.publish_toast("ada", "Hello").id
        code, said, complaint = process("explain", id, DATABASE_URL=url)
        assert (code, complaint) == (0, "")
        assert "state  accepted (undecided)" in said


def test_without_a_database_it_names_the_variable_and_still_gives_help(process):
    code, said, complaint = process("explain", "x")
    assert (code, said) == (1, "")
    assert one_line(complaint)
    assert "DATABASE_URL" in complaint
    assert process("explain", "--help")[0] == 0
