"""What toastkit tests itself with, and you may test your program with."""

from .clock import ManualClock

__all__ = ["ManualClock"]
