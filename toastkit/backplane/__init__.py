"""What workers share and may lose."""

from .memory import MemoryBackplane

__all__ = ["MemoryBackplane"]
