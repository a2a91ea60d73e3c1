"""Devices: which handset belongs to whom, and where a push would reach it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, select

from ..records import Device
from .database import Database
from .tables import devices

_FIELDS = Device.__struct_fields__
_FOUND = select(*(devices.c[name] for name in _FIELDS)).order_by(devices.c.device_id)


class Devices:
    """Store devices; a device id and a push token have one owner each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(self, device: Device) -> None:
        """Store a device, or refresh it; returns once it is on disk.

        A handset that changed hands moves in the same commit: every other row with its device id
        or its push token goes, or one user's toasts would ring on another's phone.

        Raises:
            StorageUnavailable: nothing was changed.
        """
        # A device may leave any user here: one at a time, or two could wait for each other.
        self._database.write(_register, device, about=["devices"])

    def of(self, user_id: str) -> list[Device]:
        """Return a principal's devices.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        query = _FOUND.where(devices.c.user_id == user_id)

        def read(connection: Connection) -> list[Device]:
            return [Device(**row) for row in connection.execute(query).mappings()]

        return self._database.read(read)


def _register(connection: Connection, fresh: Sequence[Device]) -> list[None]:
    column = devices.c
    for device in fresh:
        same = column.device_id == device.device_id
        if device.push_token is not None:
            same |= column.push_token == device.push_token
        connection.execute(delete(devices).where(same))
        connection.execute(devices.insert(), msgspec.structs.asdict(device))
    return [None] * len(fresh)
