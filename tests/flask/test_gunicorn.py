"""The hooks by themselves; what they do to real workers is in tests/e2e."""

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from toastkit.metrics import FOLDER
from toastkit_flask import gunicorn

pytestmark = pytest.mark.plain


@pytest.fixture
def request_on():
    """Return a request of gunicorn's on a socket."""
    return lambda sock: SimpleNamespace(unreader=SimpleNamespace(sock=sock))


@pytest.fixture(autouse=True)
def quiet():
    interval, handler = sys.getswitchinterval(), signal.getsignal(signal.SIGTERM)
    yield
    sys.setswitchinterval(interval)
    signal.signal(signal.SIGTERM, handler)
    gunicorn._idle.clear()


def test_a_connection_is_idle_between_requests_only(request_on):
    with socket.socket() as sock:
        gunicorn.post_request(None, request_on(sock), {}, None)
        assert sock in gunicorn._idle
        gunicorn.pre_request(None, request_on(sock))
        assert sock not in gunicorn._idle


def test_a_socket_that_was_taken_or_closed_is_not_idle(request_on):
    sock = socket.socket()
    sock.close()
    gunicorn.post_request(None, request_on(sock), {}, None)
    assert not gunicorn._idle


def test_a_forgotten_connection_is_not_kept_alive(request_on):
    sock = socket.socket()
    gunicorn.post_request(None, request_on(sock), {}, None)
    sock.close()
    del sock
    assert not gunicorn._idle


def test_requests_without_a_socket_of_their_own_are_left_alone():
    gunicorn.pre_request(None, SimpleNamespace())
    gunicorn.post_request(None, SimpleNamespace(), {}, None)
    assert not gunicorn._idle


def test_a_request_that_was_not_answered_is_not_asked_about(request_on):
    unanswered = SimpleNamespace(status=None)  # gunicorn's should_close() fails then
    with socket.socket() as sock:
        gunicorn.post_request(None, request_on(sock), {}, unanswered)
        assert sock in gunicorn._idle


def test_a_threaded_worker_keeps_gunicorns_own_handler_and_hears_it_once():
    seen = []
    worker = SimpleNamespace(alive=True)

    def inner(number, _):
        seen.append(number)
        worker.alive = False

    signal.signal(signal.SIGTERM, inner)
    gunicorn.post_worker_init(worker)
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)
    assert seen == [signal.SIGTERM]
    assert sys.getswitchinterval() == pytest.approx(gunicorn.SWITCH_INTERVAL)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Name a folder for the metrics, in which those of an earlier master are."""
    folder = tmp_path / "metrics"
    folder.mkdir()
    (folder / "counter_1-abc.db").touch()
    monkeypatch.setenv(FOLDER, str(folder))
    monkeypatch.delenv("GUNICORN_PID", raising=False)
    monkeypatch.setattr(gunicorn, "_shared", [])
    return folder


def test_the_folder_that_is_named_is_emptied_once_and_not_by_a_reload(folder):
    assert gunicorn.share_metrics() == str(folder)
    assert not list(folder.iterdir())
    (folder / "counter_2-abc.db").touch()
    assert gunicorn.share_metrics() == str(folder)
    assert list(folder.iterdir())


def test_a_master_that_takes_over_empties_nothing(folder, monkeypatch):
    monkeypatch.setenv("GUNICORN_PID", "1")
    gunicorn.share_metrics()
    assert list(folder.iterdir())


def test_without_a_name_a_folder_is_made_that_goes_with_its_master():
    code = """
import os
from toastkit_flask.gunicorn import share_metrics
path = share_metrics()
if not os.fork():
    raise SystemExit  # a worker, which runs what its master has registered for its end
os.wait()
print(path, os.environ["PROMETHEUS_MULTIPROC_DIR"], os.path.isdir(path))
"""
    environ = {name: value for name, value in os.environ.items() if name != FOLDER}
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    made, named, there = done.stdout.split()
    assert (named, there) == (made, "True")
    assert not Path(made).exists()


def test_the_folder_of_another_master_is_not_taken(folder, monkeypatch, tmp_path):
    theirs = tmp_path / f"{gunicorn.OURS}abc"
    theirs.mkdir()
    monkeypatch.setenv(FOLDER, str(theirs))
    monkeypatch.setattr(gunicorn.atexit, "register", lambda *_: None)
    made = Path(gunicorn.share_metrics())
    assert made != theirs
    assert theirs.exists()
    shutil.rmtree(made)


def test_how_an_ended_worker_stood_is_forgotten_also_of_the_hosts_own(folder):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    theirs = folder / f"gauge_livesum_{ended.pid}.db"
    theirs.touch()
    (folder / f"gauge_livesum_{ended.pid}-abc.db").touch()
    living = folder / f"gauge_livesum_{os.getpid()}-abc.db"
    living.touch()
    gunicorn.child_exit(SimpleNamespace(log=logging), SimpleNamespace(pid=ended.pid))
    assert [file.name for file in folder.glob("gauge*")] == [living.name]


def test_a_worker_that_ends_is_no_trouble_without_a_folder(folder, monkeypatch, caplog):
    worker = SimpleNamespace(pid=2**22 + 1)
    server = SimpleNamespace(log=logging.getLogger("arbiter"))
    monkeypatch.setattr(gunicorn, "bury", lambda _: (_ for _ in ()).throw(OSError("no space")))
    gunicorn.child_exit(server, worker)
    assert "no space" in caplog.text
    for path in (str(folder / "gone"), ""):
        monkeypatch.setenv(FOLDER, path)
        gunicorn.child_exit(server, worker)


def test_what_a_killed_master_has_left_goes_when_the_next_one_starts(folder, monkeypatch, tmp_path):
    monkeypatch.setattr(gunicorn.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(gunicorn.atexit, "register", lambda *_: None)
    monkeypatch.delenv(FOLDER)
    living, theirs, killed = (tmp_path / f"{gunicorn.OURS}{name}" for name in ("a", "b", "c"))
    for each in (living, theirs, killed):
        each.mkdir()
    held = gunicorn._lock(living / gunicorn.LOCKED)
    os.close(gunicorn._lock(killed / gunicorn.LOCKED))
    (theirs / gunicorn.LOCKED).symlink_to(
        killed / gunicorn.LOCKED
    )  # a trap: it is opened by nobody
    files = len(os.listdir("/proc/self/fd"))
    made = Path(gunicorn.share_metrics())
    assert sorted(tmp_path.glob(f"{gunicorn.OURS}*")) == sorted([living, theirs, made])
    assert len(os.listdir("/proc/self/fd")) == files + 1
    with pytest.raises(BlockingIOError):
        gunicorn._lock(made / gunicorn.LOCKED)
    os.close(held)
