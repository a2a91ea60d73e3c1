"""``toastkit …``: what an operator asks and does, in the words of the Python API."""

from .group import group
from .main import main
from .wrapping import wrapped

__all__ = ["group", "main", "wrapped"]
