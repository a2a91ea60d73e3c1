"""``flask --app example_app.wsgi toastkit doctor`` names the service's own variables."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from example_app.factory import create_app
from tests.doctor.known import ANYWHERE, anywhere

pytestmark = pytest.mark.plain

SECRET = "hush" * 8


@pytest.fixture
def examined(tmp_path, monkeypatch):
    """Examine the service with these variables in its environment."""
    anywhere(monkeypatch, tmp_path)
    apps = []

    def examined(**environ):
        known = {"TOASTKIT_DEMO": "1", "INSTANCE_PATH": str(tmp_path), **environ}
        for name, value in known.items():
            monkeypatch.setenv(name, value)
        apps.append(create_app(known))
        done = apps[-1].test_cli_runner().invoke(args=["toastkit", "doctor", "--json"])
        assert SECRET not in done.stdout
        return json.loads(done.stdout)

    yield examined
    for app in apps:
        app.extensions["toastkit"].kit.close()


def sources(answer):
    return {each["name"]: each["source"] for each in answer["settings"] if each["changed"]}


def test_each_setting_names_the_variable_that_said_it(examined):
    answer = examined(
        TOAST_PUBLISH_SECRET_KEY=SECRET,
        ALLOWED_ORIGINS="http://localhost:3000",
        TOASTKIT_CONNECTIONS="100",
    )
    assert sources(answer) == {
        "database_url": "the instance folder",
        "surfaces": "the service",
        "publish_secret": "TOAST_PUBLISH_SECRET_KEY in the environment",
        "allowed_origins": "ALLOWED_ORIGINS in the environment",
        "connections": "TOASTKIT_CONNECTIONS in the environment",
    }
    assert answer["well"] is True
    assert [each for each in answer["findings"] if each["level"] in {"warn", "fail"}] == []


def test_what_demo_mode_sets_says_so(examined):
    assert sources(examined())["publish_secret"] == "demo mode"


def test_the_services_own_configuration_suits_and_need_not_be_named(tmp_path):
    root = str(tmp_path)
    program = f"{ANYWHERE}from flask.cli import main; main()"
    command = [sys.executable, "-c", program, "--app", "example_app.wsgi", "toastkit", "doctor"]
    environ = {"TOASTKIT_DEMO": "1", "INSTANCE_PATH": root, "TOAST_PUBLISH_SECRET_KEY": SECRET}
    done = subprocess.run(
        [*command, "--strict"],
        cwd=root,
        env=environ
        | {"PYTHONPATH": ":".join(filter(None, sys.path)), "TOASTKIT_CONNECTIONS": "99"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "it would start one worker of class gevent" in done.stdout
    assert "the worker replaces sockets and locks" in done.stdout
    assert SECRET not in done.stdout
