"""What toastkit tests itself with, and you may test your program with."""

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
