"""The doors, by surface: guard, read, call, write."""

from .auth import auth
from .client import client
from .devices import devices
from .health import health
from .realtime import realtime
from .sessions import sessions
from .toasts import toasts

__all__ = ["auth", "client", "devices", "health", "realtime", "sessions", "toasts"]
