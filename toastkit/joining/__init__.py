"""Publishing inside the host's own transaction: its rows and its toasts, together or not at all."""

from .host import Db, Host
from .joining import Joining

__all__ = ["Db", "Host", "Joining"]
