"""Count what happens, for Prometheus, at little cost to what is counted.

``families`` names every series, ``metrics`` is told what happens and adds it up in ``totals``; ``page``
writes the text, ``folder`` joins the processes of one machine. ``beside``, ``timed`` and ``probe`` are
where a kit tells it.
"""

from .beside import Beside
from .families import FAMILIES, Family
from .folder import FOLDER, bury, empty
from .metrics import Metrics
from .page import TYPE
from .probe import Probe

__all__ = ["FAMILIES", "FOLDER", "TYPE", "Beside", "Family", "Metrics", "Probe", "bury", "empty"]
