"""What knows who is asking."""

from __future__ import annotations

from dataclasses import dataclass

from .anonymous import Anonymous
from .authenticator import Authenticator
from .sessions import Sessions
from .tickets import Tickets


@dataclass(frozen=True, slots=True)
class Identity:
    """Hold every way to be known: the authenticator asks them, the others mint what it finds."""

    authenticator: Authenticator
    sessions: Sessions
    tickets: Tickets
    anonymous: Anonymous
