"""Run on gevent's hub: its loop, its greenlets, and its native threads for what blocks."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import gevent
import gevent.event
from gevent import monkey

from .contract import Signal, Timer, Watcher
from .jobs import Outcome, guarded

T = TypeVar("T")

# What gevent has replaced in a patched process, as it was: these work in native threads.
_start_thread = monkey.get_original("_thread", "start_new_thread")
_new_lock = monkey.get_original("_thread", "allocate_lock")
_this_thread = monkey.get_original("_thread", "get_ident")
_sleep = monkey.get_original("time", "sleep")

READ, WRITE = 1, 2
LONG = 3600.0


class GeventRuntime:
    """Keep the contract with the hub of the thread that makes this runtime.

    A forked child keeps the hub, which gevent revives there; greenlets that waited go on in the
    parent alone.
    """

    name = "gevent"

    def __init__(self) -> None:
        self._hub = gevent.get_hub()
        self._thread = _this_thread()

    def on_loop(self) -> bool:
        return bool(_this_thread() == self._thread)

    def call(self, callback: Callable[..., None], *args: Any) -> None:
        loop = self._hub.loop
        run = loop.run_callback if self.on_loop() else loop.run_callback_threadsafe
        run(guarded, callback, *args)

    def ask(self, job: Callable[[], T]) -> T:
        if self.on_loop():
            return job()
        outcome, found = Outcome(job), self.signal()
        self.call(outcome.find)
        self.call(found.set)
        found.wait()
        return outcome.result()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        timer = _Timer(self, callback)
        if self.on_loop():
            timer.start(seconds)
        else:
            self.call(timer.start, seconds)
        return timer

    def spawn(self, job: Callable[[], None]) -> None:
        if self.on_loop():
            gevent.spawn(guarded, job)
        else:
            self.call(self.spawn, job)

    def offload(self, job: Callable[[], T]) -> T:
        if not self.on_loop():
            return job()
        if gevent.getcurrent() is self._hub:
            raise RuntimeError("offload() would block the loop: spawn() a job that calls it")
        outcome, process = Outcome(job), os.getpid()
        # The pool prints a traceback for whatever a job raises, so a job raises nothing.
        self._hub.threadpool.apply(outcome.find)
        _stay_in(process)
        return outcome.result()

    def thread(self, job: Callable[[], None]) -> None:
        _start_thread(guarded, (job,))

    def signal(self) -> Signal:
        return _Signal(self)

    def watch(self, fd: int, write: bool = False) -> Watcher:
        return _Watcher(self._hub.loop.io(fd, WRITE if write else READ))

    def breathe(self) -> None:
        if self.on_loop():
            process = os.getpid()
            gevent.sleep(0)
            _stay_in(process)
        else:
            _sleep(0)

    def close(self) -> None:
        """Leave everything as it is: the hub and its threads belong to the program."""

    def timer(self, seconds: float) -> Any:
        """Return the loop's own timer."""
        return self._hub.loop.timer(seconds)


def _stay_in(process: int) -> None:
    """Let no greenlet that waited when its process was forked go on in the child, too.

    In the child it would decide, answer and post a second time what it does in the parent. Threads
    do not survive a fork either.
    """
    while os.getpid() != process:
        gevent.sleep(LONG)


class _Signal:
    """Wake greenlets through the loop and native threads through locks, whoever sets it."""

    __slots__ = ("_greenlets", "_native", "_runtime", "_set")

    def __init__(self, runtime: GeventRuntime) -> None:
        self._runtime = runtime
        self._greenlets = gevent.event.Event()
        self._native: list[Any] = []
        self._set = False

    def set(self) -> None:
        self._set = True
        # gevent's event may be set in the loop's thread only.
        if self._runtime.on_loop():
            self._greenlets.set()
        else:
            self._runtime.call(self._greenlets.set)
        while self._native:
            self._native.pop().release()

    def wait(self, timeout: float | None = None) -> bool:
        if self._set:
            return True
        if not self._runtime.on_loop():
            return self._wait_natively(timeout)
        process = os.getpid()
        # Without a timer gevent would call a wait that only a native thread can end a deadlock.
        while not self._greenlets.wait(LONG if timeout is None else timeout) and timeout is None:
            continue
        _stay_in(process)
        return self._set

    def _wait_natively(self, timeout: float | None) -> bool:
        lock = _new_lock()
        lock.acquire()
        self._native.append(lock)
        # Listed first, looked second; set() sets first and releases the listed second.
        if not self._set:
            lock.acquire(timeout=-1 if timeout is None else timeout)
        return self._set


class _Timer:
    __slots__ = ("_callback", "_runtime", "_timer")

    def __init__(self, runtime: GeventRuntime, callback: Callable[[], None]) -> None:
        self._runtime = runtime
        self._callback: Callable[[], None] | None = callback
        self._timer: Any = None

    def start(self, seconds: float) -> None:
        if self._callback is not None:
            self._timer = self._runtime.timer(seconds)
            # The loop's idea of now is as old as its turn: a long turn would cut the time short.
            self._timer.start(self._fire, update=True)

    def cancel(self) -> None:
        self._callback = None
        if self._runtime.on_loop():
            self._stop()
        else:
            self._runtime.call(self._stop)

    def _fire(self) -> None:
        callback, self._callback = self._callback, None
        self._stop()
        if callback is not None:
            guarded(callback)

    def _stop(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.close()


class _Watcher:
    __slots__ = ("_io",)

    def __init__(self, io: Any) -> None:
        self._io = io

    def start(self, callback: Callable[[], None]) -> None:
        self._io.start(guarded, callback)

    def stop(self) -> None:
        self._io.stop()

    def close(self) -> None:
        self._io.close()
