"""Who is asking: sessions, tickets and devices, and the one place that decides.

``authenticator`` decides. ``sessions`` are opaque tokens (remembered by ``sessioncache``, ended by
``revocations``), ``tickets`` open a connection, ``anonymous`` is who never signed in, ``devices`` where
pushes go. ``parts`` holds them for the kit.
"""

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
