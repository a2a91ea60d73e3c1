"""Choose the runtime of a kit."""

from __future__ import annotations

import os
import sys
import weakref
from typing import Any, cast

from .contract import Runtime
from .threads import ThreadsRuntime


def runtime_for(name: str) -> Runtime:
    """Return the runtime a setting names: ``gevent``, ``threads`` or ``auto``.

    ``auto`` decides at its first use in each process, not now: gunicorn may build the app in its
    master (``--preload``) and let gevent replace sockets and threads only in the worker.
    """
    if name == "gevent":
        return _gevent()
    if name == "threads":
        return ThreadsRuntime()
    return cast(Runtime, _Auto())


def gevent_is_in_charge() -> bool:
    """Tell whether gevent has replaced this process's sockets; does not import it."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("socket"))


def _gevent() -> Runtime:
    from .gevent import GeventRuntime

    return GeventRuntime()


class _Auto:
    """Become gevent's runtime or the threads' at the first use."""

    def __init__(self) -> None:
        _undecided.add(self)

    def __getattr__(self, name: str) -> Any:
        # Called for names that are not there yet: from now on they are the chosen runtime's own,
        # found without this detour.
        runtime = _gevent() if gevent_is_in_charge() else ThreadsRuntime()
        for each in dir(runtime):
            if not each.startswith("_"):
                setattr(self, each, getattr(runtime, each))
        return getattr(runtime, name)

    def _forked(self) -> None:
        vars(self).clear()


_undecided: weakref.WeakSet[_Auto] = weakref.WeakSet()


def _forked() -> None:
    for runtime in list(_undecided):
        runtime._forked()  # noqa: SLF001


if hasattr(os, "register_at_fork"):  # there is no fork on Windows
    os.register_at_fork(after_in_child=_forked)
