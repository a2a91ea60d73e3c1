"""The doors, by surface: guard, read, call, write."""

from .account import account
from .anonymous import anonymous
from .auth import auth
from .client import client
from .devices import devices
from .health import health
from .metrics import metrics
from .openapi import openapi
from .realtime import realtime
from .sessions import sessions
from .stream import stream
from .toasts import toasts

__all__ = [
    "account",
    "anonymous",
    "auth",
    "client",
    "devices",
    "health",
    "metrics",
    "openapi",
    "realtime",
    "sessions",
    "stream",
    "toasts",
]
