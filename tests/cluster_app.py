"""The host of tests/cluster.py: it ends or freezes where a test wants it, and watches its loop."""

import json
import os
import signal
import time
from pathlib import Path

import gevent
from flask import jsonify, request
from gevent import monkey

from tests.e2e.app import create_app as create_host
from tests.failpoints import install
from toastkit.current import kits

LOOK_SECONDS = 0.02


def create_app():
    """Make the app of the end-to-end tests, armed and watched."""
    install(harm_if_armed)
    app = create_host()

    @app.after_request
    def answered(response):
        harm_if_armed("before answer")
        response.headers["X-Place"] = str(here.place)
        response.call_on_close(lambda: harm_if_armed("after answer"))
        return response

    @app.get("/probe")
    def probe():
        """Tell how this worker does, and how many of a user's clients it has.

        ``?anew`` forgets the worst stall so far.
        """
        user = request.args.get("user", "nobody")
        told = {
            "place": here.place,
            "pid": os.getpid(),
            "worst_stall_ms": round(here.worst * 1000, 1),
            "online": sum(kit.node.online(user) for kit in kits()),
            "connections": sum(len(kit.node.roster.connections) for kit in kits()),
        }
        if "anew" in request.args:
            here.worst = 0.0
        return jsonify(told)

    @app.post("/stall/<float:seconds>")
    def stall(seconds):
        """Hold the loop for real, as a bug would."""
        monkey.get_original("time", "sleep")(seconds)
        return "", 204

    return app


class Here:
    """This worker: its place, and how long its loop stood still at worst, in seconds.

    What the machine gave to others is no stall, nor is the time for which a test had stopped it.
    """

    def __init__(self):
        self.place = None
        self.worst = 0.0
        self._stopped = False

    def begin(self, place):
        self.place = place
        signal.signal(signal.SIGCONT, self._go_on)
        gevent.spawn(self._look)
        # Written as a whole: who reads it never finds half of a number.
        folder = Path(os.environ["CLUSTER_FOLDER"])
        new = folder / f"place{place}.{os.getpid()}"
        new.write_text(str(os.getpid()))
        new.rename(folder / f"place{place}")

    def _go_on(self, *_):
        self._stopped = True

    def _look(self):
        with open("/proc/self/schedstat", "rb", buffering=0) as file:

            def queued():
                """Return how long this thread was ready to run, and the machine was busy."""
                file.seek(0)
                return int(file.read().split()[1]) / 1e9

            while True:
                self._stopped = False
                began, waited = time.monotonic(), queued()
                gevent.sleep(LOOK_SECONDS)
                late = time.monotonic() - began - LOOK_SECONDS - (queued() - waited)
                if not self._stopped:
                    self.worst = max(self.worst, late)


here = Here()
begin = here.begin


def harm_if_armed(point):
    """Send this process the signal that the file ``armed`` names, if it names this point; once."""
    armed = Path(os.environ["CLUSTER_FOLDER"]) / "armed"
    try:
        wanted = json.loads(armed.read_text())
        if wanted["point"] != point or wanted["place"] not in (None, here.place):
            return
        armed.rename(armed.with_name("fired.new"))  # of two at once one is harmed
    except FileNotFoundError:
        return
    fired = armed.with_name("fired")
    armed.with_name("fired.new").write_text(str(os.getpid()))
    armed.with_name("fired.new").rename(fired)
    os.kill(os.getpid(), wanted["signal"])
