"""Whole processes in one thread: time, threads and crashes are moved by hand, all else is real.

Every job of a runtime, the database's writer included, is a greenlet; who waits gives way to the
next that is ready. Nothing depends on a machine's speed, so a failure can be run again.
"""

import importlib
import logging
from _queue import Empty
from collections import deque
from contextlib import suppress
from heapq import heappop, heappush
from itertools import count

from greenlet import GreenletExit, getcurrent, greenlet
from sqlalchemy import event
from sqlalchemy.pool import Pool

# A pool complains of connections that a crash has closed, whenever it finds them.
logging.getLogger("sqlalchemy.pool.impl.NullPool").setLevel(logging.CRITICAL + 1)

MODULES = ("checkpointer", "readers", "turn", "writer")
"""Modules of storage whose native threads wait at C queues."""


class Crash(BaseException):
    """End a process here and now: nothing in it runs any further."""


class World:
    """The one scheduler, and the clock of all processes."""

    def __init__(self, clock):
        self.clock = clock
        self.ready = deque()  # what runs next: (process, callable)
        self.sleeping = []  # a heap of (when, number, process, callable)
        self.numbers = count()
        self.hub = getcurrent()
        self.processes = []
        self.errors = []

    def process(self):
        """Return a runtime that lives until it crashes or the world ends."""
        process = Process(self)
        self.processes.append(process)
        return process

    def here(self):
        """Return the process whose code is running."""
        return getattr(getcurrent(), "process", None) or self.running

    running = None

    def later(self, seconds, process, act):
        heappush(
            self.sleeping, (self.clock.monotonic() + seconds, next(self.numbers), process, act)
        )

    def step(self):
        """Run all that is ready now."""
        while self.ready:
            process, act = self.ready.popleft()
            if process.dead:
                continue
            self.running = process
            try:
                act()
            except Crash:
                process.die()
            except Exception as error:  # noqa: BLE001 - the test tells it
                self.errors.append(error)
            finally:
                self.running = None

    def pass_time(self, seconds):
        """Let time pass, and all happen that is due meanwhile."""
        until = self.clock.monotonic() + seconds
        self.step()
        while self.sleeping and self.sleeping[0][0] <= until:
            self._skip()
        self.clock.advance(max(0.0, until - self.clock.monotonic()))

    def do(self, process, job):
        """Run a job of a process and return its result; time passes while it waits for some.

        Raises:
            Crash: the process has ended meanwhile.
        """
        outcome = []

        def run():
            try:
                outcome.append((job(), None))
            except Exception as error:  # noqa: BLE001 - handed to the caller
                outcome.append((None, error))

        process.spawn(run)
        self.step()
        while not outcome and not process.dead:
            assert self.sleeping, "everybody waits for somebody else"
            self._skip()
        if process.dead:
            raise Crash
        result, error = outcome[0]
        if error is not None:
            raise error
        return result

    def end(self):
        for process in self.processes:
            process.die()
        assert not self.errors, self.errors

    def _skip(self):
        when, _, process, act = heappop(self.sleeping)
        self.clock.advance(max(0.0, when - self.clock.monotonic()))
        self.ready.append((process, act))
        self.step()


class Process:
    """The runtime of one process: like gevent's, but that nothing happens by itself."""

    name = "sim"

    def __init__(self, world):
        self.world = world
        self.dead = False
        self.tasks = {}
        self.connections = []

    def on_loop(self):
        return not getattr(getcurrent(), "native", False)

    def call(self, callback, *args):
        self.world.ready.append((self, lambda: callback(*args)))

    def ask(self, job):
        assert self.on_loop()
        return job()

    def call_later(self, seconds, callback):
        timer = Timer(callback)
        self.world.later(seconds, self, timer.fire)
        return timer

    def spawn(self, job):
        self._start(job, native=False)

    def thread(self, job):
        self._start(job, native=True)

    def offload(self, job):
        assert getcurrent() is not self.world.hub, "this would block the loop"
        return job()

    def signal(self):
        return Signal(self)

    def breathe(self):
        waiters = []
        self.world.ready.append((self, lambda: self.wake(waiters)))
        self.pause(waiters, None)

    def close(self):
        pass

    def die(self):
        """Crash: nothing more is said, written or answered."""
        if self.dead:
            return
        self.dead = True
        for task in list(self.tasks):
            if task is not getcurrent():
                with suppress(Exception):
                    task.throw(GreenletExit)
        self.tasks.clear()
        for connection in self.connections:
            with suppress(Exception):  # closed already
                connection.close()

    def _start(self, job, native):
        def run():
            try:
                job()
            except Crash:
                self.world.ready.appendleft((self, self.die))
            except Exception as error:  # noqa: BLE001 - the test tells it
                self.world.errors.append(error)
            finally:
                self.tasks.pop(task, None)

        task = greenlet(run, self.world.hub)
        task.process, task.native = self, native
        self.tasks[task] = True
        self.world.ready.append((self, task.switch))

    def pause(self, waiters, timeout):
        """Give way until somebody takes the caller out of ``waiters``, or time is up."""
        task = getcurrent()
        assert task is not self.world.hub, "this would block the loop"

        def wake():
            if task in waiters:
                waiters.remove(task)
                task.switch()

        waiters.append(task)
        if timeout is not None:
            self.world.later(max(0.0, timeout), self, wake)
        self.world.hub.switch()

    def wake(self, waiters):
        for task in waiters:
            self.world.ready.append((self, task.switch))
        waiters.clear()


class Timer:
    def __init__(self, callback):
        self.callback = callback

    def fire(self):
        callback, self.callback = self.callback, None
        if callback is not None:
            callback()

    def cancel(self):
        self.callback = None


class Signal:
    def __init__(self, process):
        self.process, self.happened, self.waiters = process, False, []

    def set(self):
        self.happened = True
        self.process.wake(self.waiters)

    def wait(self, timeout=None):
        if not self.happened and timeout != 0:
            self.process.pause(self.waiters, timeout)
        return self.happened


class Queue:
    """Stand in for the C queue at which native threads wait."""

    world = None

    def __class_getitem__(cls, _item):
        return cls

    def __init__(self):
        self.items, self.waiters = deque(), []

    def put(self, item):
        self.items.append(item)
        process = self.world.here()
        if self.waiters and process is not None:
            process.wake(self.waiters)

    def get(self, block=True, timeout=None):
        if not self.items and block:
            process = self.world.here()
            deadline = None if timeout is None else self.world.clock.monotonic() + timeout
            while not self.items:
                left = None if deadline is None else deadline - self.world.clock.monotonic()
                if left is not None and left <= 0:
                    break
                process.pause(self.waiters, left)
        if not self.items:
            raise Empty
        return self.items.popleft()

    def get_nowait(self):
        return self.get(block=False)


def simulate(monkeypatch, world):
    """Let storage's native threads wait in this world, and note whose a connection is."""
    monkeypatch.setattr(Queue, "world", world)
    for name in MODULES:
        module = importlib.import_module(f"toastkit.storage.{name}")
        monkeypatch.setattr(module, "SimpleQueue", Queue)

    def note(connection, _record):
        process = world.here()
        if process is not None:
            process.connections.append(connection)

    event.listen(Pool, "connect", note)
    return lambda: event.remove(Pool, "connect", note)
