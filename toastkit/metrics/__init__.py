"""Count what happens, for Prometheus: beside everything else, and nearly for nothing."""

from .beside import Beside
from .families import FAMILIES, Family
from .folder import FOLDER, bury, empty
from .metrics import Metrics
from .page import TYPE
from .probe import Probe

__all__ = ["FAMILIES", "FOLDER", "TYPE", "Beside", "Family", "Metrics", "Probe", "bury", "empty"]
