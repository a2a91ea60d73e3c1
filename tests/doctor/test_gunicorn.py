"""gunicorn's configuration is read as gunicorn reads it, and nothing is started."""

from __future__ import annotations

import resource

import pytest
from msgspec.structs import replace

from toastkit.doctor import gunicorn
from toastkit.doctor.gunicorn import OURS, check, gather
from toastkit.doctor.patient import GeventFacts, GunicornFacts
from toastkit.doctor.probe import HOOKS

pytestmark = pytest.mark.plain

PATCH = "from gevent import monkey; monkey.patch_all()\n"
STAR = f"from {OURS} import *\n"
EARLY = "import early\n"
"""A module that keeps what gevent replaces, as most do that are worth importing."""
PATCHED = GeventFacts("26.9", ("socket", "ssl", "threading", "select", "time"))
HOOKED = dict.fromkeys(HOOKS, OURS)


@pytest.fixture
def read(facts, tmp_path, monkeypatch):
    """Read a configuration file, or none, with what the environment and the command line say."""

    def read(text="", environ=None, words=()):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "early.py").write_text("from socket import socket\n")
        if text:
            (tmp_path / "gunicorn.conf.py").write_text(text)
        patient = facts(environ or {}).patient
        object.__setattr__(patient, "words", words)
        return gather(patient)

    return read


def green(**given):
    return GunicornFacts(
        **{"worker_class": "gevent", "hooks": HOOKED, "graceful_timeout": 5, "gevent": PATCHED}
        | given
    )


def test_the_documented_configuration_has_nothing_wrong(read, facts, levels):
    prints = "import atexit\nprint('hello')\natexit.register(print, 'bye')\n"
    found = read(PATCH + STAR + prints + "worker_class = 'gevent'\n")
    assert (found.worker_class, found.workers, found.graceful_timeout) == ("gevent", 1, 5)
    assert (found.hooks, found.gevent.early) == (HOOKED, ())
    assert found.file.endswith("gunicorn.conf.py")
    assert levels(check, facts(gunicorn=found)) == []


def test_a_configuration_that_imports_before_the_patch_fails(read, facts, levels):
    found = read(EARLY + "worker_class = 'gevent'\n")
    assert (found.gevent.patched, found.gevent.early) == ((), ("early",))
    assert levels(check, facts(gunicorn=found))[0] == ("fail", "gunicorn")


def test_a_configuration_that_patches_late_fails(read, facts, levels):
    found = read(EARLY + PATCH + "worker_class = 'gevent'\n")
    assert (found.gevent.patched, found.gevent.early) == (PATCHED.patched, ("early",))
    assert levels(check, facts(gunicorn=found))[0] == ("fail", "gunicorn")


def test_what_the_command_line_says_wins_over_environment_and_file(read):
    text = "workers, threads, preload_app = 2, 5, True\n"
    environ = {"GUNICORN_CMD_ARGS": "-w 3 -k gthread", "WEB_CONCURRENCY": "7"}
    found = read(text, environ, words=["-w", "4", "shop:app"])
    assert (found.workers, found.worker_class, found.threads) == (4, "gthread", 5)
    assert (found.preload, found.hooks, found.helped) == (True, {}, False)


def test_the_number_of_workers_may_stand_in_the_environment_alone(read, facts, levels):
    found = read(environ={"WEB_CONCURRENCY": "3"})
    assert (found.workers, found.worker_class, found.file) == (3, "", "")
    assert ("fail", "gunicorn") in levels(check, facts(gunicorn=found))


def test_a_class_that_only_the_command_line_names_is_not_guessed(read, facts, levels):
    found = replace(read(PATCH), hooks=HOOKED)
    assert found.worker_class == ""
    assert levels(check, facts(gunicorn=found)) == [("info", "gunicorn")]
    known = replace(read(PATCH, words=["-k", "gevent"]), hooks=HOOKED)
    assert levels(check, facts(gunicorn=known)) == []
    sync = replace(read(PATCH, words=["shop:app"]), hooks=HOOKED)
    assert levels(check, facts(gunicorn=sync)) == [("warn", "gunicorn"), ("fail", "gunicorn")]


def test_a_limit_that_the_file_raises_counts(read):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = 300 if most == resource.RLIM_INFINITY else min(300, most)
    text = f"import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {most}))\n"
    assert read(text).files == soft


@pytest.mark.parametrize(
    ("text", "told"),
    [("workers = 'many'\n", "many"), ("import nowhere\n", "nowhere"), ("1 / 0\n", "zero")],
)
def test_a_file_that_cannot_be_read_is_told(read, facts, levels, text, told):
    found = read(text)
    assert told in found.trouble
    assert levels(check, facts(gunicorn=found)) == [("fail", "gunicorn")]


def test_a_file_that_never_ends_is_left(read, monkeypatch):
    monkeypatch.setattr(gunicorn, "SECONDS", 0.3)
    assert "not read within" in read("while True:\n    pass\n").trouble


def test_where_nothing_is_said_nothing_is_run(read, facts, levels):
    found = read()
    assert found.asked is False
    assert levels(check, facts(gunicorn=found)) == [("info", "gunicorn")]


def test_where_it_is_not_installed_nothing_is_said(facts, levels):
    assert levels(check, facts(gunicorn=GunicornFacts(installed=False))) == []


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({}, []),
        ({"worker_class": "gthread", "gevent": GeventFacts()}, []),
        ({"workers": 2}, ["fail"]),
        ({"worker_class": "sync", "gevent": GeventFacts()}, ["warn"]),
        ({"worker_class": "gevent_pywsgi", "hooks": {}}, ["warn"]),
        ({"worker_class": "tornado", "gevent": GeventFacts()}, ["warn"]),
        ({"worker_class": "gthread"}, ["fail"]),
        ({"preload": True, "gevent": GeventFacts()}, ["fail"]),
        ({"preload": True}, []),
        ({"gevent": GeventFacts(early=("shop",))}, ["fail"]),
        ({"gevent": GeventFacts()}, []),
        ({"hooks": {}}, ["warn"]),
        ({"hooks": {}, "helped": True}, ["info"]),
        ({"hooks": HOOKED | {"pre_request": "__config__"}}, ["info"]),
        ({"graceful_timeout": 2}, ["warn"]),
    ],
)
def test_what_suits_and_what_does_not(given, wrong, facts, levels):
    found = green(**given)
    assert levels(check, facts(gunicorn=found)) == [(level, "gunicorn") for level in wrong]


def test_several_workers_suit_where_redis_is_between_them(facts, levels):
    found = green(workers=4)
    assert levels(check, facts(redis_url="redis://localhost", gunicorn=found)) == []
    [finding] = [each for each in check(facts(gunicorn=found)) if each.level == "fail"]
    assert "TOASTKIT_REDIS_URL" in finding.remedy


def test_any_worker_suits_the_portable_gateway(facts, levels):
    found = green(worker_class="tornado", gevent=GeventFacts())
    assert levels(check, facts(gateway="portable", gunicorn=found)) == []


def test_a_module_of_the_folder_is_there_for_the_file_and_for_nobody_before(read, tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('run before anybody asked')\n")
    (tmp_path / "mine.py").write_text("KIND = 'gthread'\n")
    found = read("import mine\nworker_class = mine.KIND\n")
    assert (found.trouble, found.worker_class) == ("", "gthread")


def test_metrics_of_a_service_that_runs_are_left_alone(read, tmp_path):
    folder = tmp_path / "counted"
    folder.mkdir()
    (folder / "counter_1.db").touch()
    text = STAR + "share_metrics()\n"
    found = read(text, {"PROMETHEUS_MULTIPROC_DIR": str(folder)})
    assert (found.together, found.trouble) == (True, "")
    assert [each.name for each in folder.iterdir()] == ["counter_1.db"]
    assert read(text, {"PROMETHEUS_MULTIPROC_DIR": ""}).together


def test_workers_that_count_for_themselves_are_warned_about(facts, levels):
    shared = {"redis_url": "redis://localhost", "surfaces": ("toasts", "auth", "metrics")}
    alone, together = green(workers=2), green(workers=2, together=True)
    assert levels(check, facts(gunicorn=alone, **shared)) == [("warn", "gunicorn")]
    assert levels(check, facts(gunicorn=together, **shared)) == []
    assert levels(check, facts(gunicorn=green(), **shared)) == []
