"""Who is asking: sessions, tickets and devices, and the one place that decides."""

from .authenticator import Authenticator, Credentials
from .devices import Devices
from .parts import Identity
from .sessions import Sessions
from .tickets import TicketRequest, Tickets

__all__ = [
    "Authenticator",
    "Credentials",
    "Devices",
    "Identity",
    "Sessions",
    "TicketRequest",
    "Tickets",
]
