"""A host behind a proxy, under the servers it is run with."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedding.browser import Browser
from tests.embedding.harness import HOSTS, ROOT, Host

pytestmark = [pytest.mark.plain, pytest.mark.long]

WORKERS = {
    "gevent": ["-k", "gevent", "-c", "python:tests.e2e.patched"],
    "gevent preloaded": ["-k", "gevent", "-c", "python:tests.e2e.patched", "--preload"],
    "gthread": ["-k", "gthread", "--threads", "4", "-c", "python:toastkit_flask.gunicorn"],
    "without our hooks": ["-k", "gevent"],
}
PROXY = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "www.example.com",
    "X-Forwarded-Prefix": "/portal",
    "Origin": "https://www.example.com",
}


@pytest.fixture(params=WORKERS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    folder = Host(HOSTS / "portal").after(tmp_path)
    environ = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    log = tmp_path / "log"
    with socket.create_server(("127.0.0.1", 0)) as listener, log.open("wb") as output:
        number = listener.fileno()
        command = ["-m", "gunicorn", "--no-control-socket", "-b", f"fd://{number}"]
        process = subprocess.Popen(
            [sys.executable, *command, *WORKERS[request.param], "portal:create_app()"],
            cwd=folder,
            env=environ,
            pass_fds=[number],
            stdout=output,
            stderr=output,
        )
        # Whoever connects before the worker is there waits in the listener's queue.
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    process.terminate()
    began = time.monotonic()
    process.wait(20)
    assert time.monotonic() - began < 10
    assert "Traceback" not in log.read_text(), log.read_text()


def test_its_users_see_toasts(url: str) -> None:
    ada, boss = (Browser(url, prefix="/portal", headers=PROXY) for _ in range(2))
    ada.post("/portal/login", user="ada")
    boss.post("/portal/login", user="boss")
    with ada.page("/portal/") as page:
        for _ in range(3):
            boss.post("/portal/approve/ada")
            assert page.title() == "Your holiday is approved"
