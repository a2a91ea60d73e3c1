"""Who is asking: sessions, tickets and devices, and the one place that decides."""

from .anonymous import Anonymous, AnonymousParts
from .authenticator import Authenticator, Credentials
from .devices import Devices
from .parts import Identity
from .sessions import Sessions
from .tickets import TicketRequest, Tickets

__all__ = [
    "Anonymous",
    "AnonymousParts",
    "Authenticator",
    "Credentials",
    "Devices",
    "Identity",
    "Sessions",
    "TicketRequest",
    "Tickets",
]
