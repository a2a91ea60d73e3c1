"""Gunicorn hooks that let a worker stop in time and tell every client; one line for a host.

In ``gunicorn.conf.py``::

    from gevent import monkey; monkey.patch_all()  # for the gevent worker; before any import
    from toastkit_flask.gunicorn import *

(The file is read in gunicorn's master: what is imported there first would stay unpatched.) Without
them a stopping worker is held by idle keep-alive connections until gunicorn kills it at
``graceful_timeout``, and its clients learn nothing. A hook of your own by the same name replaces
ours: call ours from it.

**gevent**: on SIGTERM (also what a reload by HUP sends) every client is told 1012 at once, idle
connections are let go a second later, and the worker is gone in one or two seconds. **gthread**: the same for the
clients; gunicorn itself closes idle connections, two seconds after the signal. **sync**: the
clients are told when the request being served is done. SIGINT and SIGQUIT tell the clients, too,
and end the worker at once. The ``gevent_pywsgi`` worker calls none of these hooks.

Where the metrics are wanted, ``share_metrics()`` below the import has the workers count together.
"""

from __future__ import annotations

import _thread
import atexit
import contextlib
import fcntl
import gc
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from weakref import WeakSet

from toastkit.current import kits
from toastkit.metrics import FOLDER, bury, empty
from toastkit.runtime import gevent_is_in_charge

__all__ = [
    "child_exit",
    "graceful_timeout",
    "post_request",
    "post_worker_init",
    "pre_request",
    "share_metrics",
    "worker_int",
]

graceful_timeout = 5
"""Seconds a stopping worker may go on with requests before it is killed."""

SWITCH_INTERVAL = 0.0001
"""A busy loop gives the GIL up this often, in seconds: at Python's 5 ms a commit of 0.6 ms in the
database's own thread takes 6."""

LAST_SECONDS = 1.0
"""How long a connection may still ask something while a worker stops; that answer is its last.

A proxy that keeps connections may be sending on any of them when the signal comes. One that ends just
then leaves it with a request that perhaps was served: a POST it may not repeat, and answers 502.
"""

UNREAD_BYTES, UNREAD_PIECE, UNREAD_SECONDS = 1_048_576, 4096, 2.0
"""How much of a body that a view left unread is thrown away to keep its connection, in pieces of
how much, and for how long. gunicorn reads to the end, without a pause, and no body need end."""

_idle: WeakSet[Any] = WeakSet()  # between two requests
_fresh: WeakSet[Any] = WeakSet()  # before the first
_stopping = False
_shared: list[str] = []  # the folder of this master's metrics, once there is one

OURS = "toastkit-metrics-"
"""How the name of a folder begins that was made here."""

LOCKED = "master"
"""What is locked in such a folder while anybody lives who counts there."""


def share_metrics() -> str:
    """Let the workers of this master count together; return the folder they keep it in.

    ``PROMETHEUS_MULTIPROC_DIR`` may name one, which is made and emptied: no other service may use
    it. Else one is made that goes with this process. For ``gunicorn.conf.py``, where a reload calls
    it again and finds it done. Before anything imports prometheus_client, if the host has metrics of
    its own.

    Raises:
        OSError: it cannot be made.
    """
    if _shared:
        return _shared[0]
    path = os.environ.get(FOLDER, "")
    if not path or Path(path).name.startswith(OURS):
        # Where another master has made one, it goes with that.
        _sweep(tempfile.gettempdir())
        path = os.environ[FOLDER] = tempfile.mkdtemp(prefix=OURS)
        _lock(Path(path) / LOCKED)
        atexit.register(_remove, path, os.getpid())
    elif "GUNICORN_PID" not in os.environ:
        # Else this master takes over from one that still counts (USR2).
        empty(path)
    _shared.append(path)
    return path


def child_exit(server: Any, worker: Any) -> None:
    """Forget how things stood in a worker that has ended; what it has counted stays."""
    path = os.environ.get(FOLDER, "")
    if not path or not Path(path).is_dir():
        return
    try:
        bury(path)
    except OSError as error:
        server.log.warning("the metrics of worker %s stay as they are: %s", worker.pid, error)
    with contextlib.suppress(ImportError):
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)  # the host's own


def post_worker_init(worker: Any) -> None:
    """Make a worker ready to serve evenly, and to stop: its own SIGTERM handler."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    # What the program has loaded stays loaded: looking through all of it again and again in full
    # collections held everybody up, 60 to 150 ms at a time.
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # or what a plain exit collects is taken apart in any order
    if gevent_is_in_charge():
        import gevent

        # In the place of gunicorn's handler, which can do no more than set a flag. This one runs
        # in a greenlet; each signal has one of its own.
        gevent.signal_handler(signal.SIGTERM, _stop, worker)
        _watch(worker)
    else:
        _chain(worker)


def pre_request(_: Any, req: Any) -> None:
    """Note that a connection is busy."""
    sock = _socket_of(req)
    if sock is not None:
        _idle.discard(sock)
        _fresh.discard(sock)


def post_request(_: Any, req: Any, __: Any, resp: Any) -> None:
    """Note that a connection is idle, unless it has closed or become a WebSocket of ours."""
    sock = _socket_of(req)
    if sock is None or sock.fileno() < 0:
        return
    answered = resp is not None and resp.status is not None  # else gunicorn cannot tell, and fails
    if answered and not resp.should_close() and gevent_is_in_charge():
        _finish(req)
    _idle.add(sock)
    if _stopping:  # nobody will look through the idle ones again
        _let_go([sock])


def worker_int(worker: Any) -> None:
    """Tell every client before SIGINT or SIGQUIT ends the worker."""
    if gevent_is_in_charge():
        _stop(worker)
    else:
        _say_farewell()


def _sweep(place: str) -> None:
    """Remove what masters have left that were killed."""
    for left in Path(place).glob(f"{OURS}*/{LOCKED}"):
        with contextlib.suppress(OSError):  # somebody else's, or somebody lives
            descriptor = _lock(left)
            shutil.rmtree(left.parent, ignore_errors=True)
            os.close(descriptor)


def _lock(file: Path) -> int:
    """Lock a file for as long as this process lives, or one that it forks.

    Raises:
        OSError: another one has it.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _remove(path: str, pid: int) -> None:
    if os.getpid() == pid:  # a worker ends with what its master has registered, too
        shutil.rmtree(path, ignore_errors=True)


def _finish(req: Any) -> None:
    """Let others have their turn, and get to the end of a request so that the next may follow.

    A client whose bytes are always there already never waits, and nobody else would be served.
    """
    import gevent

    gevent.sleep(0)
    over = gevent.Timeout(UNREAD_SECONDS, False)  # type: ignore[arg-type]  # ends the block below
    with over, contextlib.suppress(Exception):
        for _ in range(UNREAD_BYTES // UNREAD_PIECE):
            # What cannot be read is noted by the body itself, and gunicorn ends the connection.
            if not req.body.read(UNREAD_PIECE):
                return
            gevent.sleep(0)
    req.force_close()


def _stop(worker: Any) -> None:
    global _stopping  # noqa: PLW0603  # one worker, one end
    worker.alive = False
    if _stopping:
        return
    _stopping = True
    import gevent

    farewells = [gevent.spawn(kit.node.stop) for kit in kits()]
    gevent.sleep(0)
    for waiting in (_fresh, _idle):
        gevent.spawn_later(LAST_SECONDS, _let_go, waiting)
    gevent.joinall(farewells)


def _chain(worker: Any) -> None:
    """Tell every client on SIGTERM, then do what gunicorn's handler does."""
    inner = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: Any) -> None:
        if worker.alive and callable(inner):
            inner(number, frame)
            # A handler interrupts anything, also a thread being started: threading's own locks may
            # be held by the very code below us, so the plain function that takes none.
            _thread.start_new_thread(_say_farewell, ())

    signal.signal(signal.SIGTERM, stop)


def _say_farewell() -> None:
    for kit in kits():
        kit.node.stop()


def _watch(worker: Any) -> None:
    handle = worker.handle

    def watched(listener: Any, client: Any, address: Any) -> None:
        _fresh.add(client)
        handle(listener, client, address)

    worker.handle = watched


def _let_go(connections: Iterable[Any]) -> None:
    """End the wait for the next request; one that has arrived already is still answered."""
    for sock in list(connections):
        # The raw socket's shutdown: gevent's would throw an error into the greenlet that reads.
        with contextlib.suppress(OSError, AttributeError):
            sock._sock.shutdown(socket.SHUT_RD)  # noqa: SLF001


def _socket_of(req: Any) -> Any:
    return getattr(getattr(req, "unreader", None), "sock", None)
