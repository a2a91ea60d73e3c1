"""What knows who is asking."""

from __future__ import annotations

from dataclasses import dataclass

from .authenticator import Authenticator
from .sessions import Sessions
from .tickets import Tickets


@dataclass(frozen=True, slots=True)
class Identity:
    """Hold every way to be known: the authenticator asks them, sessions and tickets are minted."""

    authenticator: Authenticator
    sessions: Sessions
    tickets: Tickets
