"""How each client family spells what toastkit knows. Pure: they read and write, nothing else."""

from .accounts import account
from .bodies import PublishRequest, read_body, read_publish
from .errors import http_error
from .listing import device_item, device_page, toast_page
from .toasts import ToastsDialect, read_since

__all__ = [
    "PublishRequest",
    "ToastsDialect",
    "account",
    "device_item",
    "device_page",
    "http_error",
    "read_body",
    "read_publish",
    "read_since",
    "toast_page",
]
