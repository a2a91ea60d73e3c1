"""Devices: which handset belongs to whom, and where a push would reach it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, select

from ..records import Device
from .database import Database
from .tables import devices

_column = devices.c
_FIELDS = Device.__struct_fields__
_FOUND = select(*(devices.c[name] for name in _FIELDS)).order_by(devices.c.device_id)


class Devices:
    """Store devices; a device id and a push token have one owner each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(self, device: Device, most: int) -> None:
        """Store a device, or refresh it; returns once it is on disk.

        A handset that changed hands moves in the same commit: every other row with its device id
        or its push token goes, or one user's toasts would ring on another's phone. What was learnt
        about its push token begins anew. Of more than ``most`` devices of a user those go that were
        registered longest ago.

        Raises:
            StorageUnavailable: nothing was changed.
        """
        # A device may leave any user here: one at a time, or two could wait for each other.
        self._database.write(_register, (device, most), about=["devices"])

    def remove(self, user_id: str, device_id: str) -> bool:
        """Delete a device of a principal; tell whether there was one.

        Raises:
            StorageUnavailable: nothing was changed.
        """
        own = (user_id, device_id)
        removed: bool = self._database.write(
            _remove, own, about=["devices"], kept=partial(_gone, own)
        )
        return removed

    def of(self, user_id: str) -> list[Device]:
        """Return a principal's devices.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        query = _FOUND.where(devices.c.user_id == user_id)

        def read(connection: Connection) -> list[Device]:
            return [Device(**row) for row in connection.execute(query).mappings()]

        return self._database.read(read)


def _register(connection: Connection, fresh: Sequence[tuple[Device, int]]) -> list[None]:
    for device, most in fresh:
        same = _column.device_id == device.device_id
        if device.push_token is not None:
            same |= _column.push_token == device.push_token
        connection.execute(delete(devices).where(same))
        connection.execute(devices.insert(), msgspec.structs.asdict(device))
        _evict(connection, device, most)
    return [None] * len(fresh)


def _evict(connection: Connection, newest: Device, most: int) -> None:
    others = (_column.user_id == newest.user_id) & (_column.device_id != newest.device_id)
    query = select(_column.device_id).where(others).order_by(_column.registered_at.desc())
    old = list(connection.scalars(query.offset(max(0, most - 1))))
    if old:
        connection.execute(delete(devices).where(others, _column.device_id.in_(old)))


def _remove(connection: Connection, given: Sequence[tuple[str, str]]) -> list[bool]:
    return [connection.execute(delete(devices).where(_is(own))).rowcount == 1 for own in given]


def _gone(own: tuple[str, str], connection: Connection, removed: bool) -> bool | None:
    """Tell whether a removal was kept whose commit was not answered."""
    if not removed:
        return None
    return connection.scalar(select(_column.device_id).where(_is(own))) is None


def _is(own: tuple[str, str]) -> ColumnElement[bool]:
    user_id, device_id = own
    return (_column.user_id == user_id) & (_column.device_id == device_id)
