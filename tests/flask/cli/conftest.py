"""Run ``flask toastkit …`` in this process."""

from __future__ import annotations

import pytest


@pytest.fixture
def kit(app):
    return app.extensions["toastkit"].kit


@pytest.fixture
def run(app):
    """Run ``flask toastkit …``; return its exit code, stdout and stderr."""
    return runner(app)


def runner(app):
    def run(*words, answer=None):
        done = app.test_cli_runner().invoke(args=["toastkit", *words], input=answer)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout, done.stderr

    return run


def one_line(text):
    return text.startswith("Error: ") and text.count("\n") == 1
