"""How each client family spells what toastkit knows. Pure: they read and write, nothing else."""

from .accounts import account
from .bodies import PublishRequest, read_body, read_publish
from .errors import http_error, http_status
from .listing import DevicePage, ToastPage, device_item, device_page, toast_page
from .toasts import ToastsDialect, read_since

__all__ = [
    "DevicePage",
    "PublishRequest",
    "ToastPage",
    "ToastsDialect",
    "account",
    "device_item",
    "device_page",
    "http_error",
    "http_status",
    "read_body",
    "read_publish",
    "read_since",
    "toast_page",
]
