"""The whole service: toastkit behind gunicorn, with a page to try it."""

from .factory import create_app
from .settings import Settings

__all__ = ["Settings", "create_app"]
