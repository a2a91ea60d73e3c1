"""Processes that are there at once: a parent without threads imports once, and forks each.

Each is as much on its own as one that is started by a command: nothing is shared but what was
imported, and its end is noticed as the kernel tells it.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from importlib import import_module
from multiprocessing.connection import Connection
from typing import IO

MODULES = [
    "tests.backplane.redis.workers",
    "tests.races.carrier",
    "tests.races.publisher",
    "tests.races.pusher",
    "tests.races.rebinder",
]
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(MODULES)


class Forked:
    """Run a module's ``main``; used like a ``subprocess.Popen`` whose stdin and stdout are text."""

    def __init__(self, module: str, *arguments: str) -> None:
        reading, writing = os.pipe(), os.pipe()
        theirs = Connection(reading[0]), Connection(writing[1])
        self.stdin: IO[str] = os.fdopen(reading[1], "w")
        self.stdout: IO[str] = os.fdopen(writing[0])
        self._process = _CONTEXT.Process(target=_main, args=(module, arguments, *theirs))
        self._process.start()
        for end in theirs:
            end.close()

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        """Return how it ended: its exit code, or less than zero the signal.

        Raises:
            TimeoutError: it has not ended yet.
        """
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise TimeoutError(f"{self._process.name} has not ended in {timeout} s")
        return code

    def send_signal(self, number: int) -> None:
        if self.pid is not None and self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()


def _main(module: str, arguments: tuple[str, ...], stdin: Connection, stdout: Connection) -> None:
    for end, number in ((stdin, 0), (stdout, 1)):
        os.dup2(end.fileno(), number)
        end.close()
    sys.stdin, sys.stdout = os.fdopen(0), os.fdopen(1, "w")
    import_module(module).main(*arguments)
