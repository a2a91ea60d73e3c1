"""What workers share and may lose: events, short history, presence.

``contract``, ``history`` and ``presence`` say what is promised; ``memory``, ``memoryhistory`` and
``memorypresence`` keep it within one process, ``redis`` among many. ``kept`` decides, for both, what of
a history can be told.
"""

from .memory import MemoryBackplane

__all__ = ["MemoryBackplane"]
