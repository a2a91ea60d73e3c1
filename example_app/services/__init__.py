"""What the rest of a program calls instead of going through HTTP."""

from .toasts import publish_toast

__all__ = ["publish_toast"]
