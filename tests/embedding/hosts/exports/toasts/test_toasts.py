import os
import signal
import subprocess
import sys

import pytest
from app import create_app

from tests.embedding.browser import Browser, served


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Set what the web server and the worker have in common."""
    for name in ("queue", "exports"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("QUEUE", str(tmp_path / "queue"))
    monkeypatch.setenv("EXPORTS", str(tmp_path / "exports"))
    monkeypatch.setenv("FLASK_TOASTKIT_DATABASE_URL", f"sqlite:///{tmp_path}/toasts.db")
    return tmp_path


@pytest.fixture
def worker(place):
    command = ["-m", "celery", "-A", "worker", "worker", "-c", "1", "-l", "warning"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    folder = os.path.dirname(os.path.dirname(__file__))
    environ = {**os.environ, "PYTHONWARNINGS": "default"}
    with (place / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *command, *quiet],
            cwd=folder,
            env=environ,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    yield process
    # Celery takes five seconds to end by itself, with a toast or without.
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(20)
    assert "Traceback" not in (place / "worker.log").read_text()


def test_who_asked_for_an_export_sees_that_it_is_ready(worker):
    with served(create_app()) as url:
        ada = Browser(url)
        ada.post("/login", user="ada")
        with ada.page("/") as page:
            ada.post("/exports/all")
            assert page.title(20) == "Your export all is ready"
            ada.post("/small-exports/mine")
            assert page.title() == "Your export mine is ready"


def test_whoever_asks_is_told(client, toasts):
    client.post("/exports/all")
    assert toasts.to("ada").titles == ["Your export all is ready"]
