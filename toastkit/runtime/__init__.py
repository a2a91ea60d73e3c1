"""What runs toastkit: gevent's hub, or one selectors loop in a thread of its own.

``contract`` says what both promise, ``choose`` picks one, ``jobs`` runs what they are given, and
``living`` tells objects that they find themselves in a forked child.
"""

from .choose import gevent_is_in_charge, runtime_for
from .contract import Runtime, Signal, Timer, Watcher
from .living import Living
from .threads import ThreadsRuntime

__all__ = [
    "Living",
    "Runtime",
    "Signal",
    "ThreadsRuntime",
    "Timer",
    "Watcher",
    "gevent_is_in_charge",
    "runtime_for",
]
