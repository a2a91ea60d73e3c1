"""This worker's live half: connections, who hears what, and the node that joins them.

Nothing here does I/O, reads a clock but the injected one, or knows a framework.

- ``node`` admits ``connection``s, hears the backplane (``ear``) and says farewell to all.
- ``roster`` knows who is on a route and delivers; ``lane`` serves large routes in slices;
  ``sendbuffer`` holds what a slow reader does not take yet.
- ``dispatch`` carries out what clients say, with ``rules`` and ``refreshing``.
- ``position`` tells what one more toast is to a connection. ``recovery`` tells it what it missed
  (its state is ``catching``, its reads are ``readings``); ``doubts`` finds out who missed something.
- ``watch`` pings and ends, once a ``wheel``'s turn; ``comings`` tells others who comes and goes,
  ``connected`` who is here now.
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
