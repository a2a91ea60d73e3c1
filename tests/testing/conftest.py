"""A shop as a host would write it, and host suites that run in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request, session
from flask.testing import FlaskClient

from toastkit import publish_toast
from toastkit.testing import ManualClock
from toastkit_flask import ToastKit

ROOT = Path(__file__).parents[2]
MakeApp = Callable[..., Flask]


@pytest.fixture
def make_app(tmp_path: Path) -> Iterator[MakeApp]:
    apps: list[Flask] = []

    def make(**settings: Any) -> Flask:
        given = {name: settings.pop(name) for name in ("senders", "clock") if name in settings}
        app = Flask(f"shop{len(apps)}", instance_path=str(tmp_path / f"shop{len(apps)}"))
        app.config.update(SECRET_KEY="x", TESTING=True)
        app.config.update({f"TOASTKIT_{name.upper()}": value for name, value in settings.items()})
        ToastKit(app, **given).user_loader(lambda: session.get("user"))
        apps.append(app)

        @app.post("/login/<name>")
        def login(name: str) -> dict[str, str]:
            session["user"] = name
            return {}

        @app.post("/orders")
        def order() -> dict[str, Any]:
            options = request.get_json(silent=True) or {}
            receipt = publish_toast(session["user"], "Order placed", **options)
            return {"shown_on": receipt.session_count, "status": receipt.status}

        return app

    yield make
    for app in apps:
        app.extensions["toastkit"].kit.close()


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app(clock=ManualClock())


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    client = app.test_client()
    client.post("/login/ada")
    return client


Suite = Callable[..., str]


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Run a host's suite, given by file name, in a process of its own; return what pytest said."""

    def run(*arguments: str, before: str = "", passes: bool = True, **files: str) -> str:
        for name, code in files.items():
            (tmp_path / f"{name}.py").write_text(textwrap.dedent(code))
        own = ("-c", os.devnull, "--rootdir", ".", "-p", "no:cacheprovider", "-q", *arguments)
        code = f"{before}\nimport sys, pytest; sys.exit(pytest.main({list(own)}))"
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": f"{ROOT}:."},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        said = done.stdout + done.stderr
        assert (done.returncode == 0) is passes, said
        return said

    return run
