"""Choose the runtime of a kit."""

from __future__ import annotations

import sys
from typing import Any, cast

from .contract import Runtime
from .living import Living
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
        fresh = _gevent() if gevent_is_in_charge() else ThreadsRuntime()
        # Two threads may be first at once; the dict lets one of them win.
        runtime = vars(self).setdefault("_chosen", fresh)
        for each in dir(runtime):
            if not each.startswith("_"):
                setattr(self, each, getattr(runtime, each))
        return getattr(runtime, name)

    def _forked(self) -> None:
        vars(self).clear()


_undecided: Living[_Auto] = Living()
