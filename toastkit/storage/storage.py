"""What survives: the inbox, what is owed, tickets, sessions and devices."""

from __future__ import annotations

from collections.abc import Iterable

from ..clock import Clock
from ..runtime.contract import Runtime
from .anonymous import Anonymous
from .database import Database
from .deliveries import Deliveries
from .devices import Devices
from .inbox import Inbox
from .keeping import Keeping
from .owned import Ownable, chosen
from .sessions import Sessions
from .tickets import Tickets


class Storage:
    """Hold every repository of one database.

    Building one is cheap and touches no disk; the first use in each process brings the schema up
    to date. ``wait_ms``: how long a write may wait for a locked database. ``own_schema``: whether
    toastkit's migrations make the tables; a host that has them among its own makes them itself.
    ``owned``: the host's tables that hold what is users'; ``None``: those that are registered.
    """

    def __init__(
        self,
        url: str,
        runtime: Runtime,
        clock: Clock,
        *,
        wait_ms: int = 2000,
        own_schema: bool = True,
        owned: Iterable[Ownable] | None = None,
    ) -> None:
        registered = chosen(owned)
        database = Database(url, runtime, clock, wait_ms=wait_ms, own_schema=own_schema)
        self.inbox = Inbox(database, clock)
        self.tickets = Tickets(database)
        self.sessions = Sessions(database)
        self.devices = Devices(database)
        self.deliveries = Deliveries(database, clock)
        self.anonymous = Anonymous(database, registered)
        self.keeping = Keeping(database, registered)
        self.ensure_writable = database.ensure_writable
        self.tell_commits = database.tell_commits
        self.close = database.close
