"""Presence in Redis: for each route leases by connection, and counts and info by member."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from ...errors import BackplaneUnavailable
from ..presence import (
    MAX_CONNECTIONS,
    MAX_MEMBERS,
    Arrival,
    Departure,
    Member,
    Presence,
    Renewal,
    Stay,
)
from .keys import Keys
from .requests import Requests
from .scripts import load

ENTER, LEAVE, RENEW = (load(f"presence_{name}") for name in ("enter", "leave", "renew"))
DUE, REAP = load("presence_due"), load("presence_reap")
OUTLIVE_MS = 3600 * 1000
"""How long what nobody renews or reaps is kept, and that a connection was reaped."""

CLAIM_MS = 5000
"""How long one worker has for the routes it looks at, before another does."""

BATCH = 200
"""Connections in one script: no other question may wait for long."""


class RedisPresence(Presence):
    """Know who is on a route, for all workers.

    An index tells on which routes leases run out, so that a route is looked at even when all workers
    that had its connections are gone. It may lack routes: each is put back when a stay is renewed.
    Unlike the names of keys, it holds routes in plain text, and routes hold the ids of members.
    """

    def __init__(self, requests: Requests, keys: Keys) -> None:
        self._requests = requests
        self._keys = keys

    def enter(self, stay: Stay) -> Arrival:
        return self._enter(stay)[0]

    def leave(self, stay: Stay) -> bool:
        keys = self._keys.presence(stay.route)
        found = self._requests.run(LEAVE, keys, _key(stay), stay.member.id)
        if found == -1:
            self._enter(stay)
        return bool(found == 1)

    def renew(self, stays: Sequence[Stay]) -> Renewal:
        came: list[Stay] = []
        lost: set[str] = set()
        try:
            for stay in self._unknown(stays):
                arrival, reaped = self._enter(stay)
                if not reaped:
                    lost.add(stay.route)
                elif arrival == "first":
                    came.append(stay)
        except BackplaneUnavailable:
            if not came:
                raise
            # These are there again, and nobody will be told of them later. The others are renewed
            # the next time.
        return Renewal(came=tuple(came), lost=frozenset(lost))

    def reap(self, most: int = 100) -> tuple[Departure, ...]:
        left: list[Departure] = []
        try:
            for route in self._due(most):
                keys = self._keys.presence(route)
                told, deadline = self._requests.run(REAP, keys, BATCH, OUTLIVE_MS)
                left += [Departure(route, member) for member in _members(told)]
                self._look_again(route, deadline)
        except BackplaneUnavailable:
            if not left:
                raise
            # These have gone already, and nobody else will be told of them.
        return tuple(left)

    def members(self, route: str) -> tuple[Member, ...]:
        [found] = self._requests.ask(("HGETALL", self._keys.presence(route)[2]))
        return tuple(sorted(_members(found), key=lambda member: member.id))

    def _enter(self, stay: Stay) -> tuple[Arrival, bool]:
        keys = self._keys.presence(stay.route)
        member, info = stay.member.id, msgspec.json.encode(stay.member.info)
        bounds = (MAX_MEMBERS, MAX_CONNECTIONS, OUTLIVE_MS)
        given = (_key(stay), member, info, stay.lease_ms, *bounds)
        count, reaped = self._requests.run(ENTER, keys, *given, then=self._list(stay.route))
        return "full" if not count else "first" if count == 1 else "again", bool(reaped)

    def _unknown(self, stays: Sequence[Stay]) -> Iterator[Stay]:
        """Begin leases anew; return the stays that Redis does not know."""
        for route, some in _batches(stays):
            leases = [each for stay in some for each in (_key(stay), stay.lease_ms)]
            keys = self._keys.presence(route)[:3]
            list_it = self._list(route)
            places = self._requests.run(RENEW, keys, OUTLIVE_MS, *leases, then=list_it)
            yield from (some[place - 1] for place in places)

    def _due(self, most: int) -> list[str]:
        routes = self._requests.run(DUE, [self._keys.due], most, CLAIM_MS)
        return [route.decode() for route in routes]

    def _look_again(self, route: str, deadline: bytes) -> None:
        """Put a route where its next lease runs out, or take it out of the index."""
        if deadline:
            self._requests.ask(("ZADD", self._keys.due, deadline, route))
            return
        leases = self._keys.presence(route)[0]
        _, still = self._requests.ask(("ZREM", self._keys.due, route), ("EXISTS", leases))
        if still:
            self._requests.ask(self._list(route))

    def _list(self, route: str) -> tuple[str | int, ...]:
        """Have a route looked at soon that is not in the index.

        After somebody entered, never before: who finds it empty meanwhile takes it out.
        """
        return ("ZADD", self._keys.due, "NX", 0, route)


def _key(stay: Stay) -> str:
    return f"{stay.connection} {stay.member.id}"


def _members(told: Sequence[Any]) -> list[Member]:
    """Read members' ids, each followed by its info."""
    pairs = zip(told[::2], told[1::2], strict=True)
    return [Member(id.decode(), msgspec.json.decode(info)) for id, info in pairs]


def _batches(stays: Sequence[Stay]) -> Iterator[tuple[str, list[Stay]]]:
    routes: dict[str, list[Stay]] = {}
    for stay in stays:
        routes.setdefault(stay.route, []).append(stay)
    for route, some in routes.items():
        for start in range(0, len(some), BATCH):
            yield route, some[start : start + BATCH]
