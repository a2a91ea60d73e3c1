"""A service of several gunicorn-gevent workers, on a database and a Redis, to do harm to.

    with Cluster(folder, database=url, redis=redis_url, workers=3) as cluster:
        cluster.publish("ada", "Hi").answer["session_count"]
        cluster.places[1].kill()

``cluster`` itself is what clients and publishers know: one address, and any worker answers. Each of
``cluster.places`` is the address of one worker alone, dead, frozen or alive; a worker that ended is
followed by one at the same place.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple
from urllib.parse import urlencode

import psutil

from tests.e2e.conftest import ROOT, Door, Server
from tests.races.crowd import AUTHORIZED, SECRET

APP = "tests.cluster_app:create_app()"
CONF = "python:tests.cluster_conf"


class Published(NamedTuple):
    """What became of a publish over HTTP, and how many seconds its answer took."""

    status: int
    answer: Any
    seconds: float


def wait_for(fact, seconds=20, what=""):
    """Wait until something is true; return it."""
    until = time.monotonic() + seconds
    while not (found := fact()):
        if time.monotonic() > until:
            raise TimeoutError(f"{what or fact}: never seen")
        time.sleep(0.01)
    return found


class Publishing(Door):
    """A door that publishes are sent to."""

    def publish(self, user_id, title, **given):
        """Publish over HTTP, as a backend does; what is not answered raises ``OSError``."""
        toast = given.pop("toast", {"title": title})
        body = {"user_id": user_id, "topic": f"user:{user_id}", "toast": toast, **given}
        began = time.monotonic()
        told = self.request("POST", "/v1/toasts/publish", body, **AUTHORIZED)
        return Published(*told, time.monotonic() - began)


class Place(Publishing):
    """One worker at its own address, and whoever follows it there."""

    def __init__(self, number, address, folder):
        super().__init__(address)
        self.number = number
        self._mark = folder / f"place{number}"

    @property
    def pid(self):
        """Return the process that works here, or did last."""
        return int(self._mark.read_text())

    def send_signal(self, number):
        os.kill(self.pid, number)

    def kill(self):
        """End the worker as the kernel would; return its pid when it is gone."""
        pid = self.pid
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not alive(pid), what="the death of a worker")
        return pid

    def stop(self):
        """Ask the worker to end in peace; return its pid."""
        pid = self.pid
        os.kill(pid, signal.SIGTERM)
        return pid

    @contextmanager
    def frozen(self):
        """Let the worker do nothing, as a machine does that swaps; it goes on afterwards."""
        pid = self.pid
        os.kill(pid, signal.SIGSTOP)
        wait_for(lambda: not running(pid), what="a stop")
        try:
            yield pid
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def probe(self, **asked):
        """Return what ``/probe`` of tests/cluster_app.py says; asked for ``user=``, ``anew=1``."""
        status, told = self.request("GET", f"/probe?{urlencode(asked)}")
        assert status == 200, told
        return told

    def followed(self, pid, seconds=20):
        """Wait until another process than this one works here."""
        wait_for(lambda: self.pid != pid, seconds, f"a successor of {pid}")


class Cluster(Publishing, Server):
    """A service of several workers; ``settings`` are toastkit's, without their prefix.

    ``inside`` are Python's arguments that run gunicorn where something is different.
    """

    def __init__(
        self, folder, *, database, redis="", workers=2, preload=True, inside=(), **settings
    ):
        self.folder = folder
        self.database, self.redis = database, redis
        environ = {
            **os.environ,
            "TOASTKIT_DATABASE_URL": database,
            "TOASTKIT_REDIS_URL": redis,
            "TOASTKIT_RATE_LIMITS": "0",
            "TOASTKIT_PUBLISH_SECRET": SECRET,
            "PYTHONWARNINGS": "default",
            "CLUSTER_FOLDER": str(folder),
            **{f"TOASTKIT_{name.upper()}": str(value) for name, value in settings.items()},
        }
        listeners = [
            socket.create_server(("127.0.0.1", 0), backlog=2048) for _ in range(workers + 1)
        ]
        binds = [word for each in listeners for word in ("-b", f"fd://{each.fileno()}")]
        # With the app loaded before the fork a successor is there at once.
        options = ["--preload"] if preload else []
        command = ["-m", "gunicorn", "--no-control-socket", "-c", CONF, "-k", "gevent"]
        command += ["--workers", str(workers), "--worker-connections", "4000", *binds, *options]
        super().__init__([*inside, *command, APP], listeners, environ, folder / "cluster.log")
        doors = [listener.getsockname() for listener in listeners[1:]]
        self.places = [Place(number, door, folder) for number, door in enumerate(doors)]
        for listener in listeners:
            listener.close()

    def __enter__(self):
        self.wait_until_ready()
        for place in self.places:
            wait_for(lambda place=place: place.request("GET", "/health")[0] == 200)
        return self

    def __exit__(self, *_):
        self.end()

    def reload(self, seconds=20):
        """Replace every worker as HUP does: the new ones are there before the old ones go."""
        old = [place.pid for place in self.places]
        self.process.send_signal(signal.SIGHUP)
        for place, pid in zip(self.places, old, strict=True):
            place.followed(pid, seconds)
        wait_for(lambda: not any(map(alive, old)), seconds, "the end of the old workers")

    def roll(self, seconds=20):
        """Replace the workers one after the other, as a rolling restart of machines does."""
        for place in self.places:
            pid = place.stop()
            place.followed(pid, seconds)
            wait_for(lambda pid=pid: not alive(pid), seconds, "the end of a worker")

    def worst_stall(self):
        """Return for how many seconds a living worker's loop stood still at worst; forget it."""
        return max(place.probe(anew=1)["worst_stall_ms"] for place in self.places) / 1000

    def arm(self, point, *, number=signal.SIGKILL, place=None):
        """Have whoever passes a point of tests/failpoints.py next get a signal, in itself."""
        wanted = {"point": point, "signal": int(number), "place": place and place.number}
        new = self.folder / "armed.new"
        new.write_text(json.dumps(wanted))
        (self.folder / "fired").unlink(missing_ok=True)
        new.rename(self.folder / "armed")

    def fired(self, seconds=20):
        """Wait until the point was passed and the signal had its effect; return whose pid it was."""
        fired = self.folder / "fired"
        wait_for(fired.exists, seconds, "passing the armed point")
        pid = int(fired.read_text())
        wait_for(lambda: not running(pid), seconds, f"{pid} dead or stopped")
        return pid

    @contextmanager
    def script(self):
        """Start a process on the same database and Redis that publishes and serves nobody."""
        with Script(self.database, self.redis) as script:
            yield script


class Script:
    """A process without sockets: ``publish(user_id=…, toast=…)`` returns its receipt."""

    def __init__(self, database, redis=""):
        command = [sys.executable, "-m", "tests.races.publisher", database, redis]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(command, cwd=ROOT, text=True, **pipes)
        self.pid = self.process.pid

    def __enter__(self):
        assert self.process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_):
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()

    def publish(self, **given):
        """Return the receipt, or ``None`` when the process was killed before it had one."""
        with suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(given) + "\n")
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        return json.loads(line) if line.endswith("\n") else None


def alive(pid):
    """Tell whether a process is there, and more than its name."""
    return status(pid) != psutil.STATUS_ZOMBIE


def running(pid):
    """Tell whether a process is alive and not stopped."""
    return status(pid) not in (psutil.STATUS_ZOMBIE, psutil.STATUS_STOPPED)


def status(pid):
    """Return how a process is; who is gone for good is like one that is gone."""
    try:
        return psutil.Process(pid).status()
    except psutil.NoSuchProcess:
        return psutil.STATUS_ZOMBIE
