"""The presence of one process."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..clock import Clock
from .presence import (
    MAX_CONNECTIONS,
    MAX_MEMBERS,
    Arrival,
    Departure,
    Member,
    Presence,
    Renewal,
    Stay,
)

GONE_SECONDS = 3600
"""How long it is remembered that a connection was reaped."""

_Key = tuple[str, str]
"""A connection and its member's id."""


@dataclass(slots=True)
class _Room:
    """One route: leases by connection, connections and info by member, and who was reaped when."""

    leases: dict[_Key, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    infos: dict[str, Member] = field(default_factory=dict)
    gone: dict[_Key, float] = field(default_factory=dict)

    def enter(self, key: _Key, member: Member, until: float) -> Arrival:
        count = self.counts.get(member.id, 0)
        if key not in self.leases:
            if count >= MAX_CONNECTIONS or (not count and len(self.counts) >= MAX_MEMBERS):
                return "full"
            count = self.counts[member.id] = count + 1
        self.leases[key] = until
        self.infos[member.id] = member
        return "first" if count == 1 else "again"

    def drop(self, key: _Key) -> Member | None:
        """Forget a connection; return its member if it was the last one."""
        del self.leases[key]
        member = key[1]
        self.counts[member] -= 1
        if self.counts[member]:
            return None
        del self.counts[member]
        return self.infos.pop(member)


class MemoryPresence(Presence):
    """Know who is on this process's routes; from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._rooms: dict[str, _Room] = {}

    def enter(self, stay: Stay) -> Arrival:
        with self._lock:
            return self._enter(stay)

    def leave(self, stay: Stay) -> bool:
        key = (stay.connection, stay.member.id)
        with self._lock:
            room = self._rooms.get(stay.route)
            if room is not None and key in room.leases:
                left = room.drop(key) is not None
                self._sweep(stay.route, room)
                return left
            if room is None or room.gone.pop(key, None) is None:
                self._enter(stay)
        return False

    def renew(self, stays: Sequence[Stay]) -> Renewal:
        with self._lock:
            came, lost = [], set()
            for stay in stays:
                room, key = self._room(stay.route), (stay.connection, stay.member.id)
                if key in room.leases:
                    room.leases[key] = self._until(stay)
                    continue
                reaped = key in room.gone
                arrival = self._enter(stay)
                if not reaped:
                    lost.add(stay.route)
                elif arrival == "first":
                    came.append(stay)
        return Renewal(came=tuple(came), lost=frozenset(lost))

    def reap(self, most: int = 100) -> tuple[Departure, ...]:
        with self._lock:
            now = self._clock.monotonic()
            over = {
                route: [key for key, until in room.leases.items() if until <= now]
                for route, room in self._rooms.items()
            }
            some = [route for route, keys in over.items() if keys][:most]
            left = [
                Departure(route, member)
                for route in some
                for member in self._reap(self._rooms[route], over[route], now)
            ]
            for route in list(self._rooms):
                self._sweep(route, self._rooms[route])
        return tuple(left)

    def members(self, route: str) -> tuple[Member, ...]:
        with self._lock:
            room = self._rooms.get(route, _Room())
            return tuple(room.infos[id] for id in sorted(room.infos))

    def _enter(self, stay: Stay) -> Arrival:
        room, key = self._room(stay.route), (stay.connection, stay.member.id)
        arrival = room.enter(key, stay.member, self._until(stay))
        if arrival != "full":
            room.gone.pop(key, None)
        return arrival

    def _reap(self, room: _Room, keys: list[_Key], now: float) -> list[Member]:
        room.gone |= dict.fromkeys(keys, now)
        members = [room.drop(key) for key in keys]
        return [member for member in members if member is not None]

    def _room(self, route: str) -> _Room:
        return self._rooms.setdefault(route, _Room())

    def _sweep(self, route: str, room: _Room) -> None:
        began = self._clock.monotonic() - GONE_SECONDS
        for key in [key for key, at in room.gone.items() if at <= began]:
            del room.gone[key]
        if not (room.leases or room.gone):
            del self._rooms[route]

    def _until(self, stay: Stay) -> float:
        return self._clock.monotonic() + stay.lease_ms / 1000
