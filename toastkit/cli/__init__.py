"""``toastkit …``: what an operator asks and does, in the words of the Python API.

One module for each command or two, in a ``group``; ``words`` is how all of them answer. ``main`` runs
them on a kit of the environment's, ``wrapped`` inside what a host needs around them.
"""

from .group import group
from .main import main
from .wrapping import wrapped

__all__ = ["group", "main", "wrapped"]
