"""Realtime notifications for Python programs, and for Flask apps first of all.

PYTEST_DONT_REWRITE: the pytest plugin needs no rewritten asserts, so pytest need not warn when
toastkit was imported before it.
"""

from .config import Config
from .current import current_kit, publish_control, publish_toast, publish_toasts
from .errors import (
    CannotJoin,
    ConfigError,
    Invalid,
    NoKit,
    NotServing,
    RateLimited,
    Refused,
    StorageUnavailable,
    ToastKitError,
    TopicNotAllowed,
    Unauthenticated,
    Unavailable,
    UnknownDevice,
    UnknownToast,
    UsageError,
)
from .events import Toast
from .joining import Host
from .kit import Kit
from .receipts import Receipt
from .storage import Owned, OwnedMixin, register_owned

__all__ = [
    # Publishing
    "publish_control",
    "publish_toast",
    "publish_toasts",
    "Receipt",
    "Toast",
    # The kit
    "Config",
    "Host",
    "Kit",
    "current_kit",
    # What is kept of a user
    "Owned",
    "OwnedMixin",
    "register_owned",
    # Errors
    "CannotJoin",
    "ConfigError",
    "Invalid",
    "NoKit",
    "NotServing",
    "RateLimited",
    "Refused",
    "StorageUnavailable",
    "ToastKitError",
    "TopicNotAllowed",
    "Unauthenticated",
    "Unavailable",
    "UnknownDevice",
    "UnknownToast",
    "UsageError",
]
