"""What runs toastkit: gevent's hub, or one selectors loop in a thread of its own."""

from .choose import gevent_is_in_charge, runtime_for
from .contract import Event, Runtime, Timer, Watcher
from .threads import ThreadsRuntime

__all__ = [
    "Event",
    "Runtime",
    "ThreadsRuntime",
    "Timer",
    "Watcher",
    "gevent_is_in_charge",
    "runtime_for",
]
