"""Anonymous devices, by hash: which principal each has, and whose it has become."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import Connection, Select, select
from sqlalchemy.dialects import postgresql, sqlite

from ..records import AnonymousDevice, Move
from .database import Database
from .desk import GROUP
from .moving import host_tables
from .owned import Owned
from .rebinding import Owe, Task, kept, rebind
from .tables import anonymous

_FIELDS = AnonymousDevice.__struct_fields__
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class Anonymous:
    """Store anonymous devices by the hash of their id, and make their rows a user's.

    What each method promises is said by the repository that identity asks for.
    """

    def __init__(self, database: Database, owned: Callable[[], list[Owned]]) -> None:
        self._database = database
        self._owned = owned

    def find(self, device_hash: str) -> AnonymousDevice | None:
        """Return what is known of a device.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        return self._database.read(partial(_find, device_hash=device_hash))

    def claim(self, fresh: AnonymousDevice) -> AnonymousDevice:
        """Return the device of this hash: the one there is, or ``fresh``, which is stored then.

        A device that has no secret is given that of ``fresh``.

        Raises:
            StorageUnavailable: nothing was kept.
        """
        return self._database.write(_claim, fresh, about=[fresh.device_hash])

    def rebind(self, device: AnonymousDevice, user_id: str, at: int, owe: Owe) -> Move | None:
        """Make everything of a device's principal a user's, all of it or nothing.

        ``None``: it is another user's. ``owe`` is given the number of rows, in the writer's thread.

        Raises:
            RebindClash: a host's table has a row in the way; nothing was changed.
            ConfigError: a host's table is missing or forbids it; nothing was changed.
            StorageUnavailable: nothing was changed.
        """
        theirs = self._database.read(lambda connection: host_tables(connection, self._owned()))
        task = Task(device, user_id, at, owe, tuple(theirs))
        # All whose rows are written, or another writer could meet us the other way round; and a
        # device may leave any user by its registration.
        about = [device.device_hash, device.user_id, user_id, "devices"]
        # As heavy as a whole group: its failure, and the time it takes, are nobody else's.
        result: Move | Exception | None = self._database.write(
            rebind, task, GROUP, about=about, kept=partial(kept, task)
        )
        if isinstance(result, Exception):
            raise result
        return result


def _of(device_hash: str) -> Select[Any]:
    found = select(*(anonymous.c[name] for name in _FIELDS))
    return found.where(anonymous.c.device_hash == device_hash)


def _find(connection: Connection, device_hash: str) -> AnonymousDevice | None:
    row = connection.execute(_of(device_hash)).mappings().first()
    return None if row is None else AnonymousDevice(**row)


def _claim(connection: Connection, fresh: Sequence[AnonymousDevice]) -> list[AnonymousDevice]:
    # Two first calls of one device meet at the key: both are answered with the same principal.
    insert = _INSERT[connection.dialect.name](anonymous)
    given = insert.excluded.secret_hash
    claim = insert.on_conflict_do_update(
        index_elements=[anonymous.c.device_hash],
        set_={"secret_hash": given},
        where=anonymous.c.secret_hash.is_(None) & given.is_not(None),
    )
    devices = []
    for device in fresh:
        connection.execute(claim, asdict(device))
        found = _find(connection, device.device_hash)
        assert found is not None
        devices.append(found)
    return devices
