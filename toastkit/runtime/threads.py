"""Run on one selectors loop in a thread of its own, beside whatever threads the program has."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from .contract import Signal, Timer, Watcher
from .jobs import Outcome, guarded
from .living import Living

T = TypeVar("T")


class ThreadsRuntime:
    """Keep the contract with one loop thread, which starts at the first use.

    A forked child has its own: it forgets its parent's loop, whose thread did not come along.
    """

    name = "threads"

    def __init__(self) -> None:
        self._starting = threading.Lock()
        self._loop: _Loop | None = None
        _runtimes.add(self)

    def on_loop(self) -> bool:
        loop = self._loop
        return loop is not None and loop.ident == threading.get_ident()

    def call(self, callback: Callable[..., None], *args: Any) -> None:
        self._running().call(callback, args)

    def ask(self, job: Callable[[], T]) -> T:
        if self.on_loop():
            return job()
        outcome, found = Outcome(job), threading.Event()

        def answer() -> None:
            outcome.find()
            found.set()

        self.call(answer)
        found.wait()
        return outcome.result()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        timer = _Timer(callback)
        self._running().at(time.monotonic() + seconds, timer)
        return timer

    def spawn(self, job: Callable[[], None]) -> None:
        threading.Thread(target=guarded, args=(job,), daemon=True).start()

    def offload(self, job: Callable[[], T]) -> T:
        """Run ``job`` in the calling thread: that is off the loop already."""
        if self.on_loop():
            raise RuntimeError("offload() would block the loop: spawn() a job that calls it")
        return job()

    def thread(self, job: Callable[[], None]) -> None:
        self.spawn(job)

    def signal(self) -> Signal:
        return threading.Event()

    def watch(self, fd: int, write: bool = False) -> Watcher:
        event = selectors.EVENT_WRITE if write else selectors.EVENT_READ
        return _Watcher(self._running(), fd, event)

    def breathe(self) -> None:
        time.sleep(0)

    def close(self) -> None:
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.stop()

    def _running(self) -> _Loop:
        loop = self._loop
        if loop is None:
            with self._starting:
                loop = self._loop
                if loop is None:
                    loop = self._loop = _Loop()
        return loop

    def _forked(self) -> None:
        # The child has the parent's loop without its thread, and perhaps a lock held by nobody.
        self._starting = threading.Lock()
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.give_back()


class _Loop:
    """Wait for descriptors, timers and calls; run what is due, one thing at a time."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._calls: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._timers: list[tuple[float, int, _Timer]] = []
        self._order = itertools.count()
        self._stopping = False
        self._over = False
        self._woken = False
        self._ear, self._bell = socket.socketpair()
        self._ear.setblocking(False)
        self._bell.setblocking(False)
        self.interest(self._ear.fileno(), selectors.EVENT_READ, self._wake)
        self._thread = threading.Thread(target=self._run, name="toastkit-loop", daemon=True)
        self._thread.start()
        self.ident = self._thread.ident

    def call(self, callback: Callable[..., None], args: tuple[Any, ...]) -> None:
        """Run ``callback`` in the next turn, or at once when the loop has ended."""
        self._calls.append((callback, args))
        # Append first, look second; the loop clears the flag first and takes the calls second. So
        # a call that sees the flag set is taken in the turn that clears it.
        if self._over:
            self._run_last_calls()
        elif not self._woken:
            self._woken = True
            self._ring()

    def at(self, when: float, timer: _Timer) -> None:
        """Run a timer at a time of the monotonic clock."""
        self.call(self._add_timer, ((when, next(self._order), timer),))

    def interest(self, fd: int, event: int, callback: Callable[[], None] | None) -> None:
        """Set who is called when ``fd`` is ready for ``event``; on the loop."""
        if self._over:
            return
        known = fd in self._selector.get_map()
        ready: list[Callable[[], None] | None] = (
            self._selector.get_map()[fd].data if known else [None, None]
        )
        ready[event == selectors.EVENT_WRITE] = callback
        events = (selectors.EVENT_READ if ready[0] else 0) | (
            selectors.EVENT_WRITE if ready[1] else 0
        )
        if not events:
            if known:
                self._selector.unregister(fd)
        elif known:
            self._selector.modify(fd, events, ready)
        else:
            self._selector.register(fd, events, ready)

    def stop(self) -> None:
        """End the thread after its current turn, and wait for that unless it is the caller's."""
        self._stopping = True
        self._ring()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def give_back(self) -> None:
        """Close the loop's own descriptors; nobody is called any more."""
        self._over = True
        self._selector.close()
        self._ear.close()
        self._bell.close()

    def _run(self) -> None:
        while not self._stopping:
            for key, events in self._selector.select(self._patience()):
                # The list is the one of the registration: a watcher that an earlier callback of
                # this turn stopped has left None in it, even if its number is in use again.
                if events & selectors.EVENT_READ and key.data[0]:
                    guarded(key.data[0])
                if events & selectors.EVENT_WRITE and key.data[1]:
                    guarded(key.data[1])
            self._run_timers()
            self._run_calls()
        # The flag first, the rest second: whoever calls after that sees the flag, and nobody who
        # waits for an answer is left without.
        self._over = True
        self._run_last_calls()
        self.give_back()

    def _patience(self) -> float | None:
        if self._calls:
            return 0
        return max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None

    def _run_timers(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            guarded(heapq.heappop(self._timers)[2].run)

    def _run_calls(self) -> None:
        # Only those that are here now: a call that calls again must not starve the sockets.
        for _ in range(len(self._calls)):
            callback, args = self._calls.popleft()
            guarded(callback, *args)

    def _run_last_calls(self) -> None:
        with contextlib.suppress(IndexError):
            while True:
                callback, args = self._calls.popleft()
                guarded(callback, *args)

    def _add_timer(self, entry: tuple[float, int, _Timer]) -> None:
        heapq.heappush(self._timers, entry)

    def _wake(self) -> None:
        self._ear.recv(4096)
        self._woken = False

    def _ring(self) -> None:
        try:
            self._bell.send(b"\0")
        except BlockingIOError:
            return  # so many bytes wait for the loop that it will wake without this one
        except OSError:
            if not self._stopping:
                raise


class _Timer:
    __slots__ = ("_callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        # The entry stays in the heap until its time; what it would hold alive is let go at once.
        self._callback = None

    def run(self) -> None:
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()


class _Watcher:
    __slots__ = ("_event", "_fd", "_loop")

    def __init__(self, loop: _Loop, fd: int, event: int) -> None:
        self._loop = loop
        self._fd = fd
        self._event = event

    def start(self, callback: Callable[[], None]) -> None:
        self._loop.interest(self._fd, self._event, callback)

    def stop(self) -> None:
        self._loop.interest(self._fd, self._event, None)

    def close(self) -> None:
        self.stop()


_runtimes: Living[ThreadsRuntime] = Living()
