"""This worker's live half: connections, who hears what, and the node that joins them.

Nothing here does I/O, reads a clock but the injected one, or knows a framework.
"""

from .comings import Witness
from .connection import Connection, Transport
from .dispatch import Dispatch
from .node import Arriving, Node
from .parts import NodeParts
from .refreshing import refusal
from .roster import Roster
from .rules import Rules
from .sendbuffer import SendBuffer, Tally

__all__ = [
    "Arriving",
    "Connection",
    "Dispatch",
    "Node",
    "NodeParts",
    "Roster",
    "Rules",
    "SendBuffer",
    "Tally",
    "Transport",
    "Witness",
    "refusal",
]
