"""Short history in Redis: one stream for each route, and its position beside it."""

from __future__ import annotations

from typing import Any

from ... import ids
from ...events import Event
from ...records import Position
from ..history import IDLE_META_MS, META_MS, Keep, Past, ensure_fits
from ..kept import Kept, Standing, since
from .envelope import Unreadable, pack, unpack
from .keys import Keys
from .requests import Requests
from .scripts import load

APPEND, READ = load("history_append"), load("history_read")
FARTHEST = 2**53
"""The greatest number that a script can tell from the next one."""


class RedisHistory:
    """Keep the last events of routes for all workers."""

    def __init__(self, requests: Requests, keys: Keys) -> None:
        self._requests = requests
        self._keys = keys

    def append(self, event: Event, keep: Keep) -> Position:
        ensure_fits(event)
        given = (keep.size, keep.ms, META_MS, ids.epoch())
        text, channel = pack(event), self._keys.channel(event.route)
        keys = self._keys.history(event.route)
        seq, epoch = self._requests.run_here(APPEND, keys, text, channel, *given)
        return Position(seq, epoch.decode())

    def since(self, route: str, position: Position, most: int) -> Past:
        after = max(0, min(position.seq, FARTHEST))
        return since(position, most, self._read(route, position.epoch, after, most))

    def newest(self, route: str, most: int) -> Past:
        standing = self._read(route, "", "", most)
        return Past(position=standing.position, events=standing.told(most))

    def _read(self, route: str, epoch: str, after: int | str, most: int) -> Standing:
        given = (epoch, after, most, IDLE_META_MS, ids.epoch())
        keys = self._keys.history(route)
        told, seq, now, entries = self._requests.run_here(READ, keys, *given)
        read = (_kept(route, *entry) for entry in entries)
        kept = sorted((each for each in read if each is not None), key=lambda kept: kept.seq)
        return Standing(Position(seq, told.decode()), now, kept)


def _kept(route: str, id: bytes, fields: list[Any]) -> Kept | None:
    """Read one entry; return ``None`` for what is not ours, or of a later version: it is a gap."""
    named = dict(zip(fields[::2], fields[1::2], strict=True))
    try:
        event = unpack(route, named[b"e"])
        return Kept(int(id.partition(b"-")[0]), int(named[b"u"]), event)
    except (Unreadable, KeyError, ValueError):
        return None
