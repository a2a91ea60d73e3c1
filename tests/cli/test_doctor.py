"""``toastkit doctor`` says what is wrong, with Flask or without, and by its exit code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import runner
from tests.doctor.known import ANYWHERE, anywhere

pytestmark = pytest.mark.plain

SCRIPT = "import sys; from toastkit.cli import main; sys.argv[0] = 'toastkit'; main()"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch, tmp_path):
    anywhere(monkeypatch, tmp_path)


@pytest.fixture
def well(make_kit):
    """Run the command on a kit that has nothing wrong."""
    return runner(make_kit(connections=100))


@pytest.fixture
def unwell(make_kit, tmp_path):
    """Run the command on a kit whose clients are too many, and whose database is none."""
    (tmp_path / "notes.db").write_bytes(b"dear diary, " * 200)
    settings = {"connections": 10**8, "database_url": f"sqlite:///{tmp_path}/notes.db"}
    return runner(make_kit(**settings))


def test_what_is_well_exits_with_0(well):
    code, out, err = well("doctor")
    assert (code, err) == (0, "")
    assert "ok    clock" in out
    assert "connections   100 " in out
    assert out.endswith("\nall is well\n")
    assert "\x1b" not in out


def test_a_failure_exits_with_1_and_has_its_remedy(unwell):
    code, out, _ = unwell("doctor")
    assert code == 1
    assert "fail  database" in out
    assert "-> TOASTKIT_DATABASE_URL names a file of something else: name another" in out
    assert "ok    clock" in out
    assert out.endswith("\n1 failure, 1 warning\n")


@pytest.mark.parametrize(("words", "code"), [(("--strict",), 1), ((), 0)])
def test_a_warning_exits_with_1_when_it_is_strict(words, code, make_kit):
    assert runner(make_kit(connections=10**8))("doctor", *words)[0] == code


def test_every_setting_is_shown_when_asked_for(well):
    shown = well("doctor", "-v")[1]
    assert "confirm_ms" in shown
    assert "250" in shown
    assert "confirm_ms" not in well("doctor")[1]
    assert well("doctor", "--settings")[1].count("\n") == shown.count("\n")


def test_json_is_for_programs(unwell):
    code, out, _ = unwell("doctor", "--json")
    answer = json.loads(out)
    assert (code, answer["well"]) == (1, False)
    assert {each["level"] for each in answer["findings"]} <= {"ok", "info", "warn", "fail"}
    assert set(answer["findings"][0]) == {"level", "name", "text", "remedy"}
    assert {"name", "value", "source", "changed"} == set(answer["settings"][0])


def test_json_says_well_as_the_exit_code_does(make_kit):
    run = runner(make_kit(connections=10**8))
    assert json.loads(run("doctor", "--json")[1])["well"] is True
    code, out, _ = run("doctor", "--json", "--strict")
    assert (code, json.loads(out)["well"]) == (1, False)


def test_the_words_of_gunicorn_are_read(well):
    code, out, _ = well("doctor", "--gunicorn", "-w 3 -k gevent shop:app")
    assert code == 1
    assert "it would start 3 workers of class gevent" in out


def test_words_that_are_none_are_called_wrongly(well):
    code, _, err = well("doctor", "--gunicorn", "-k 'gevent")
    assert (code, err) == (2, "Error: --gunicorn: No closing quotation\n")


def doctor(folder, *words, **environ):
    """Run the command in a process of its own."""
    known = {"PATH": os.environ["PATH"], "PYTHONPATH": ":".join(filter(None, sys.path))}
    command = [sys.executable, "-c", SCRIPT, "doctor", *words]
    done = subprocess.run(
        command, cwd=folder, env=known | environ, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_a_process_whose_settings_are_wrong_still_hears_of_the_rest(tmp_path):
    environ = {
        "DATABASE_URL": "postgresql://shop:hush@127.0.0.1:1/shop",
        "TOASTKIT_CONFIRM_MS": "soon",
        "TOASTKIT_CONFRIM_MS": "5",
        "TOASTKIT_DUE_MS": "7",
    }
    code, out, err = doctor(tmp_path, **environ)
    assert (code, err) == (1, "")
    assert "TOASTKIT_CONFIRM_MS: 'soon' is not a whole number" in out
    assert "-> did you mean TOASTKIT_CONFIRM_MS?" in out
    assert "Connection refused" in out
    assert "due_ms        7" in out
    assert "TOASTKIT_DUE_MS in the environment" in out
    assert "ok    clock" in out
    assert "hush" not in out


def test_without_a_database_it_says_how_to_name_one(tmp_path):
    code, out, err = doctor(tmp_path)
    assert (code, err) == (1, "")
    assert "database_url is not set: set TOASTKIT_DATABASE_URL" in out


SHOP = """
from flask import Flask
from toastkit_flask import ToastKit

app = Flask(__name__)
app.config["TOASTKIT_PUBLISH_SECRET"] = "k" * 20
app.config["TOASTKIT_CONNECTIONS"] = 300
ToastKit(app).user_loader(lambda: None)
"""
CONFIG = """
from gevent import monkey; monkey.patch_all()
from toastkit_flask.gunicorn import *
worker_class, workers = "gevent", 2
"""
PAGE = (Path(__file__).parents[2] / "docs" / "cli.rst").read_text()


def test_what_the_page_shows_is_what_it_says(tmp_path, sqlite_template):
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "gunicorn.conf.py").write_text(CONFIG)
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "toastkit.db").write_bytes(sqlite_template.read_bytes())
    program = f"{ANYWHERE}from flask.cli import main; main()"
    command = [sys.executable, "-c", program, "--app", "shop", "toastkit", "doctor"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={"PYTHONPATH": ":".join(filter(None, sys.path)), "TOASTKIT_CONFIRM_MS": "400"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    shown = re.search(r"\$ flask --app shop toastkit doctor\n((?:   .*\n|\n)+)", PAGE)
    assert alike(done.stdout.replace(str(tmp_path), "/srv/shop")) == alike(shown[1])


def alike(text):
    """Return lines without what no two machines have in common."""
    for machine in (r"SQLite [\d.]+", r"gevent [\d.]+", r"\d{4}-\d\d-\d\dT[\d:+]+", r"open \d+"):
        text = re.sub(machine, "…", text)
    return [re.sub(r"  +", "  ", line).strip() for line in text.strip().splitlines()]
