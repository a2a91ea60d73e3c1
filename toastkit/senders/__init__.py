"""How deliveries leave: one adapter per kind of outside world."""

from .recording import RecordingSender

__all__ = ["RecordingSender"]
