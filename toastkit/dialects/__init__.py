"""How each client family spells what toastkit knows. Pure: they read and write, nothing else."""

from .bodies import PublishRequest, read_body, read_publish
from .errors import http_error
from .toasts import ToastsDialect, toast_item

__all__ = [
    "PublishRequest",
    "ToastsDialect",
    "http_error",
    "read_body",
    "read_publish",
    "toast_item",
]
