"""What toastkit asks of the thing that runs it: gevent's hub, or one selector loop per process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Timer(Protocol):
    """One callback that has not run yet."""

    def cancel(self) -> None:
        """Forget the callback; harmless when it has already run."""


class Watcher(Protocol):
    """Interest in one direction of one file descriptor."""

    def start(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` on the loop whenever the descriptor is ready, until ``stop``."""

    def stop(self) -> None:
        """Lose interest; may be started again."""

    def close(self) -> None:
        """Give the watcher back. Must come before the descriptor is closed: numbers are reused."""


class Signal(Protocol):
    """One thing that happens once; any thread may set it, any number may wait."""

    def set(self) -> None:
        """Let everybody who waits, now or later, go on."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait at most ``timeout`` seconds, without holding the loop; tell whether it happened."""


class Runtime(Protocol):
    """Spawn, wait, watch a descriptor, and run blocking work off the loop.

    The loop is the one place where connections are touched. Its callbacks must not block: an
    exception in one is logged and ends nothing.
    """

    name: str

    def on_loop(self) -> bool:
        """Tell whether the caller may touch connections: it runs in the loop's thread."""

    def call(self, callback: Callable[..., None], *args: Any) -> None:
        """Run ``callback`` on the loop, soon; in the order of the calls; from any thread."""

    def ask(self, job: Callable[[], T]) -> T:
        """Run ``job``, which must not block, on the loop and return its result.

        At once when the caller is on the loop already; else it waits for its turn.
        """

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Run ``callback`` on the loop after ``seconds``; from any thread."""

    def spawn(self, job: Callable[[], None]) -> None:
        """Run ``job`` beside everything else; it may block. An exception in it is logged."""

    def offload(self, job: Callable[[], T]) -> T:
        """Run ``job``, which blocks a native thread, off the loop; wait for and return its result.

        An exception of the job is raised here. Must not be called in a loop callback.
        """

    def thread(self, job: Callable[[], None]) -> None:
        """Run ``job`` in a native thread of its own for as long as the process lives.

        A real thread also where gevent has patched ``threading``: for a database writer that
        blocks while the loop goes on.
        """

    def signal(self) -> Signal:
        """Return a fresh signal."""

    def watch(self, fd: int, write: bool = False) -> Watcher:
        """Return a stopped watcher for readability, or writability, of ``fd``. On the loop only."""

    def breathe(self) -> None:
        """Let everybody else who is ready run first."""

    def close(self) -> None:
        """Stop what this runtime started."""
