"""Real servers in processes of their own."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from websockets.sync.client import connect

ROOT = Path(__file__).parents[2]
WORKERS = {
    "gevent": ["-k", "gevent"],
    "gthread": ["-k", "gthread", "--threads", "4"],
    "sync": ["-k", "sync"],
}
HOOKS = "python:toastkit_flask.gunicorn"
APP = "tests.e2e.app:create_app()"


class Door:
    """Where somebody serves: what is asked there."""

    def __init__(self, address):
        self.address = address
        self.host = "{}:{}".format(*address)
        self.url = f"http://{self.host}"

    def request(self, method, path, body=None, **headers):
        """Return ``(status, body)`` of one request; JSON is read."""
        data = None if body is None else json.dumps(body).encode()
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if data is not None:
            headers["Content-Type"] = "application/json"
        wanted = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(wanted, timeout=30) as response:
                status, text = response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                status, text = error.code, error.read()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def post(self, path, body):
        """Return the body of a POST that must succeed."""
        status, answer = self.request("POST", path, body)
        assert status in (200, 202, 204), (status, answer)
        return answer

    def tickets(self, *users):
        return self.post("/tickets", {"users": users})

    def sessions(self, *users):
        return self.post("/sessions", {"users": users})

    def gateway(self, ticket):
        return f"ws://{self.host}/api/v1/realtime?token={ticket}"

    @contextmanager
    def join(self, user):
        """Be a client of a user, its greeting read."""
        where = self.gateway(self.tickets(user)[0])
        with connect(where, close_timeout=2, proxy=None) as client:
            assert json.loads(client.recv(timeout=10))["type"] == "connection_ack"
            yield client


class Server(Door):
    """A running server: where it is, who it is, what it has written."""

    def __init__(self, command, listeners, environ, log):
        super().__init__(listeners[0].getsockname())
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=environ,
                pass_fds=[listener.fileno() for listener in listeners],
                stdout=output,
                stderr=output,
            )
        self.pid = self.process.pid

    @property
    def log(self):
        return self._log.read_text(errors="replace")

    def forgive(self, last):
        """Wait for the last word on what was meant to go wrong; what was written is no fault."""
        for _ in range(100):
            if last in self.log:
                self._log.write_text("")
                return
            time.sleep(0.05)
        pytest.fail(f"{last!r} was never written:\n{self.log}")

    def workers(self):
        """Return the pids of gunicorn's workers, or the server's own."""
        children = [child.pid for child in psutil.Process(self.pid).children()]
        return children or [self.pid]

    def wait_for_workers(self, many):
        """Wait until so many workers of gunicorn's are there, and hear what they are told.

        Between its fork and its first steps a worker takes signals as its master does: one that is
        asked to end then never hears of it, and is killed when its time is over.
        """
        until = time.monotonic() + 30
        while sum(begun(pid) for pid in self.workers()) < many:
            assert time.monotonic() < until, f"fewer than {many} workers:\n{self.log}"
            time.sleep(0.02)

    def wait_until_ready(self):
        for _ in range(1500):
            if self.process.poll() is not None:
                pytest.fail(f"the server has ended:\n{self.log}")
            try:
                if self.request("GET", "/health")[0] == 200:
                    return
            except OSError:
                time.sleep(0.01)
        pytest.fail(f"the server never got ready:\n{self.log}")

    def stop(self, number=signal.SIGTERM, seconds=30):
        """Signal the server and return how long it took to end."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(seconds)
        return time.monotonic() - began

    def end(self):
        """End the server and what it started, however it is."""
        if self.process.poll() is None:
            everybody = [psutil.Process(self.pid), *psutil.Process(self.pid).children()]
            for process in everybody:
                process.kill()
        self.process.wait(10)


def begun(pid):
    """Tell whether a worker of gunicorn's has its own signal handlers: only its master heeds HUP."""
    with suppress(OSError):
        [caught] = re.findall(r"SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text())
        return not int(caught, 16) >> (signal.SIGHUP - 1) & 1
    return False


def command(worker, app, fd, options):
    """Return the arguments that start a server on an open socket."""
    if worker == "werkzeug":
        return ["-m", "tests.e2e.devserver", str(fd)]
    common = ["--no-control-socket", "-b", f"fd://{fd}", *WORKERS[worker]]
    return ["-m", "gunicorn", *common, *options, app]


def default_conf(worker):
    """Return the settings with our hooks, as the documentation has them."""
    return "python:tests.e2e.patched" if worker == "gevent" else HOOKS


@pytest.fixture
def serve(tmp_path, sqlite_template):
    """Start servers, as ``serving`` does, for one test."""
    with serving(tmp_path, sqlite_template) as start:
        yield start


@contextmanager
def serving(folder, template):
    """Start servers: ``serve("gevent", TOASTKIT_PING_SECONDS=1)``; their logs must be clean.

    Each finds a database of its own that has the newest schema: to make it takes as long as the
    rest of a start, and has tests elsewhere.
    """
    servers = []

    def start(worker="gevent", app=APP, options=(), *, conf="", **settings):
        number = len(servers)
        database = shutil.copyfile(template, folder / f"{number}.db")
        environ = {
            **os.environ,
            "TOASTKIT_DATABASE_URL": f"sqlite:///{database}",
            "TOASTKIT_RATE_LIMITS": "0",
            "PYTHONWARNINGS": "default",
            **{name: str(value) for name, value in settings.items()},
        }
        with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
            wanted = [*options, "-c", conf or default_conf(worker)]
            arguments = command(worker, app, listener.fileno(), wanted)
            server = Server(arguments, [listener], environ, folder / f"{number}.log")
        servers.append(server)
        server.wait_until_ready()
        return server

    yield start
    for server in servers:
        server.end()
    for server in servers:
        assert "Traceback" not in server.log, server.log
