"""A fresh gunicorn for one app, pinned to its own core, and what it costs the machine."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import psutil

ROOT = Path(__file__).parents[2]
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORES = {CORES[0]}
CLIENT_CORES = {CORES[1]} if len(CORES) > 1 else {CORES[0]}
GUNICORN = (
    *("-k", "gevent", "--workers", "1", "--worker-connections", "20000", "--backlog", "4096"),
    *("--keep-alive", "75", "--log-level", "warning", "--no-control-socket"),
)


class Server:
    """Run an app under gunicorn's gevent worker, from ``with`` to its end, on cores of its own."""

    def __init__(
        self,
        app: str,
        environ: Mapping[str, str],
        options: tuple[str, ...],
        cores: set[int] = SERVER_CORES,
    ) -> None:
        self._cores = cores
        self._command = [sys.executable, "-m", "gunicorn", *GUNICORN, *options, app]
        self._environ = {**os.environ, **environ}

    def __enter__(self) -> Self:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.address = listener.getsockname()
            # A child inherits its parent's cores, from its first instruction on.
            ours = os.sched_getaffinity(0)
            os.sched_setaffinity(0, self._cores)
            try:
                self._process = subprocess.Popen(
                    [*self._command, "--bind", f"fd://{listener.fileno()}"],
                    cwd=ROOT,
                    env=self._environ,
                    pass_fds=[listener.fileno()],
                    start_new_session=True,
                )
            finally:
                os.sched_setaffinity(0, ours)
        try:
            self.connections()
        except OSError as error:
            self.__exit__()
            raise RuntimeError(f"{self._command[-1]} did not start") from error
        parent = psutil.Process(self._process.pid)
        self._processes = [parent, *parent.children(recursive=True)]
        return self

    def __exit__(self, *_: object) -> None:
        # A naive flask-sock worker takes its whole graceful timeout; nothing of it is needed.
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def connections(self) -> int:
        """Return how many WebSocket clients the app knows of."""
        return int(self._ask("connections"))

    def standstill(self) -> float:
        """Return the longest that the server's loop stood still since this was asked last, in ms.

        The first time it only begins to be measured.
        """
        return self._ask("standstill")

    def _ask(self, what: str) -> float:
        url = "http://{}:{}/{}".format(*self.address, what)
        with urllib.request.urlopen(url, timeout=20) as answer:
            (figure,) = json.load(answer).values()
        return float(figure)

    def cpu(self) -> float:
        """Return the CPU seconds all its processes have used."""
        times = [process.cpu_times() for process in self._processes]
        return sum(used.user + used.system for used in times)

    def memory(self) -> float:
        """Return the KiB of anonymous memory its processes have.

        Not PSS: libraries' pages move to and fro with strangers that use the same ones, and a page
        that a worker shares with its master costs more as soon as a garbage collection touches it.
        """
        rollups = [Path(f"/proc/{process.pid}/smaps_rollup") for process in self._processes]
        lines = [line.split() for path in rollups for line in path.read_text().splitlines()]
        return float(sum(int(line[1]) for line in lines if line[0] == "Anonymous:"))


def settle(server: Server, connections: int) -> None:
    """Wait until the app knows of exactly so many clients.

    Raises:
        TimeoutError: it knows of more, or of fewer.
    """
    deadline = time.monotonic() + 20
    while (known := server.connections()) != connections:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{known} connections instead of {connections}")
        time.sleep(0.05)
