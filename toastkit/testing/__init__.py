"""What toastkit tests itself with, and you may test your program with.

``toasts`` is what a test asks, in ``lists`` that explain themselves; ``clients`` are pages that are open;
``hold`` keeps a kit from pushing, ``overheard`` hears transactions that a test takes back. ``fixture``
and ``hosts`` are the work of the pytest plugin, which stands in ``found``.
"""

from .clients import OnlineClient
from .clock import ManualClock
from .lists import PublishedToast, PublishedToasts, Push, Pushes, ToldControl, ToldControls
from .toasts import Toasts, recording

__all__ = [
    "ManualClock",
    "OnlineClient",
    "PublishedToast",
    "PublishedToasts",
    "Push",
    "Pushes",
    "Toasts",
    "ToldControl",
    "ToldControls",
    "recording",
]
