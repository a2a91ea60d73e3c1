"""Publishing inside the host's own transaction: its rows and its toasts, together or not at all.

``joining`` decides which transaction a publish belongs to, among the sessions that ``host`` names.
``transactions`` watches these, ``writes`` tells whether one has written, ``database`` whether it is
toastkit's database; ``sharing`` lets both use one SQLite file.
"""

from .host import Db, Host
from .joining import Joining

__all__ = ["Db", "Host", "Joining"]
