"""The service in this process, and the whole service as a process of its own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from example_app.factory import create_app
from example_app.settings import DEMO_SECRET
from tests.matrix import Wallet
from toastkit import Kit

ROOT = Path(__file__).parents[2]
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="module")
def app(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flask]:
    """Make the service in demo mode, with the module's ``SETTINGS`` if it has any."""
    instance = tmp_path_factory.mktemp("instance")
    chosen = getattr(request.module, "SETTINGS", {})
    app = create_app({"TOASTKIT_DEMO": "1", "INSTANCE_PATH": str(instance), **chosen})
    yield app
    kit: Kit = app.extensions["toastkit"].kit
    kit.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def wallet(app: Flask) -> Wallet:
    def jwt(user: str) -> str:
        signed = app.test_client().post("/demo/sign-in", json={"name": user})
        return str((signed.json or {})["jwt"])

    return Wallet(app.extensions["toastkit"].kit, DEMO_SECRET, jwt)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start a program of the house in an empty folder; whatever still runs is killed after."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environ: str) -> subprocess.Popen[str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env=kept | {"PYTHONPATH": str(ROOT), "PORT": "0"} | environ,
            cwd=tmp_path_factory.mktemp("start"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            # Its own group: the workers of a killed master must not outlive the test.
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@contextmanager
def serving(process: subprocess.Popen[str]) -> Iterator[str]:
    """Wait for the banner and give the address; end it as an operator would."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"http://\S+(?=/)", line):
            yield found[0]
            break
    else:
        raise AssertionError(process.stderr.read() if process.stderr else "")
    process.send_signal(signal.SIGTERM)
    process.wait(30)
