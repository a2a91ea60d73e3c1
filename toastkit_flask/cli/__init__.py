"""``flask toastkit``: what an operator asks and does, in the words of the Python API."""

from .group import group, register

__all__ = ["group", "register"]
