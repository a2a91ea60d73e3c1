"""What presence promises: who is on a route, over all workers, tabs and crashes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, Protocol

from msgspec import Struct

from ..errors import Invalid
from ..events import json_copy

MAX_INFO_BYTES = 1024
MAX_MEMBERS = 1000
MAX_CONNECTIONS = 100
"""How many connections one member may have on one route."""

LEASE_MS = 60_000
_WORD = re.compile(r"[^\s\x00-\x1f\x7f]{1,200}")


class Member(Struct, frozen=True):
    """Name who is there, and what everybody on the route may know of it (at most 1 KiB of JSON)."""

    id: str
    info: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if not _WORD.fullmatch(self.id):
            raise Invalid("a member's id has 1 to 200 characters, and no white space", ("id",))
        if self.info is not None and json_copy(self.info, "info")[1] > MAX_INFO_BYTES:
            raise Invalid(f"info must be at most {MAX_INFO_BYTES} bytes", ("info",), "length")


class Stay(Struct, frozen=True, kw_only=True):
    """Say that a member's connection is on a route; it ends unless it is renewed in time."""

    route: str
    connection: str
    member: Member
    lease_ms: int = LEASE_MS

    def __post_init__(self) -> None:
        if not _WORD.fullmatch(self.connection):
            text = "a connection's id has 1 to 200 characters, and no white space"
            raise Invalid(text, ("connection",))


Arrival = Literal["first", "again", "full"]
"""A stay is the first of its member's, one more, or was refused: the route or member has enough."""


class Renewal(Struct, frozen=True, kw_only=True):
    """Tell what was found when stays were renewed.

    ``came``: the leave of these members had been told, and they are there again. ``lost``: routes on
    which something was forgotten and is entered anew, without telling anybody. Others may have left
    those unseen; their lists are right again after one lease.
    """

    came: tuple[Stay, ...] = ()
    lost: frozenset[str] = frozenset()


class Departure(Struct, frozen=True):
    """Say that a member has left a route: the lease of its last connection has run out."""

    route: str
    member: Member


class Presence(Protocol):
    """Know who is on a route: one join and one leave for a member, however many connections.

    Every call blocks: not on the loop. Each raises ``BackplaneUnavailable`` when nobody knows now.
    Then it is to be made again: entering twice returns the same twice, and what leaves twice is gone
    one lease later. A change whose answer was lost is told to nobody else.
    """

    def enter(self, stay: Stay) -> Arrival:
        """Note a connection; tell whether it is its member's first on the route.

        The newest ``info`` is what others see.
        """

    def leave(self, stay: Stay) -> bool:
        """Forget a connection that has entered; tell whether it was its member's last.

        Where it was forgotten already, nobody knows whether its member has other connections. Then
        it stays for one more lease, in which those are renewed; if there are none ``reap`` tells.
        """

    def renew(self, stays: Sequence[Stay]) -> Renewal:
        """Begin the leases anew, and enter what is not known any more; about every third of one."""

    def reap(self, most: int = 100) -> tuple[Departure, ...]:
        """Forget connections whose lease has run out, on at most ``most`` routes.

        Return the members that have left by that. Of all workers that do this one is told.
        """

    def members(self, route: str) -> tuple[Member, ...]:
        """Return who is there, by id: who has entered, and of whom no leave was told."""
