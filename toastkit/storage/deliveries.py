"""What is owed to the outside world: claimed by lease, settled by who holds the claim."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, RowMapping, func, select

from .. import ids
from ..clock import Clock
from ..deliveries import Carried, Delivery, Ended, Owed, Owing
from ..records import DeliveryState, StoredDelivery
from . import claiming, owing
from .claiming import Claim, whose
from .database import Database
from .desk import shares
from .group import Work
from .settling import Settlement, renew, settle
from .tables import deliveries

T = TypeVar("T", Delivery, Ended)

_column = deliveries.c
_WAITING = _column.next_attempt_at.is_not(None)
_SHOWN = select(
    *(_column[name] for name in StoredDelivery.__struct_fields__ if name != "created_at")
)


class Deliveries:
    """Store what is owed, and who carries it.

    What each method promises is said by the ``DeliveryRepository`` that publishing asks for.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(self, delivery: Delivery) -> None:
        """Owe a delivery; returns once it is on disk.

        Raises:
            StorageUnavailable: nothing was kept.
        """
        kept = partial(_added, delivery.id)
        about = [whose(delivery.user_id, delivery.id)]
        self._database.write(_add, delivery, about=about, kept=kept)

    def owe(self, owings: Sequence[Owing]) -> list[Owed | None]:
        """Owe the fallback of toasts, and take them out of all other hands in the same commit.

        A toast of which nothing is to be owed is decided by that. ``None``: it was decided
        meanwhile, or its user has seen or deleted it already.

        Raises:
            StorageUnavailable: of some toasts nothing was owed; they are undecided as before.
        """
        return [owed for share in shares(owings) for owed in self._owe(share)]

    def claim(self, room: Mapping[str, int], lease_ms: int) -> list[Delivery]:
        """Take due deliveries for ``lease_ms``, of each kind at most so many.

        Those that nobody wants any more are dropped instead.

        Raises:
            StorageUnavailable: nothing was taken.
        """
        now = self._clock.now()

        def look(connection: Connection) -> dict[str, str]:
            found = (due(connection, kind, now, room[kind]) for kind in room)
            return {id: name for some in found for id, name in some.items()}

        return self._change(claiming.claim, look, now, now + lease_ms)

    def expire(self, limit: int) -> list[Ended]:
        """End deliveries whose time is over, but those an attempt at which goes on; return them.

        Raises:
            StorageUnavailable: they wait as before.
        """
        now = self._clock.now()

        def look(connection: Connection) -> dict[str, str]:
            return over(connection, now, limit)

        return self._change(claiming.expire, look, now, now)

    def renew(self, claimed: Sequence[Delivery], lease_ms: int) -> None:
        """Keep claims for another ``lease_ms``, with the next commit; returns at once.

        A claim that is somebody else's by now stays theirs.
        """
        until = self._clock.now() + lease_ms
        for delivery in claimed:
            about = [whose(delivery.user_id, delivery.id)]
            self._database.owe(renew, (delivery, until), about=about)

    def settle(self, carried: Carried) -> None:
        """Note what became of an attempt, with the next commit; returns at once.

        In the same commit its toast is decided, once that is clear, and its device remembers what
        was learnt about its push token.
        """
        settlement = Settlement(carried, self._clock.now())
        self._database.owe(settle, settlement, about=settlement.about)

    def recent(
        self, limit: int, state: DeliveryState | None = None, kind: str | None = None
    ) -> list[StoredDelivery]:
        """Return the newest deliveries, of one state or kind if named.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        chosen = [
            column == value
            for column, value in ((_column.state, state), (_column.kind, kind))
            if value is not None
        ]
        query = _SHOWN.where(*chosen).order_by(_column.id.desc()).limit(limit)

        def read(connection: Connection) -> list[StoredDelivery]:
            return [_shown(row) for row in connection.execute(query).mappings()]

        return self._database.read(read)

    def waiting(self) -> dict[str, int]:
        """Return how many deliveries of each kind wait.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        count = func.count().label("number")
        query = select(_column.kind, count).where(_WAITING).group_by(_column.kind)

        def read(connection: Connection) -> dict[str, int]:
            return {row.kind: row.number for row in connection.execute(query)}

        return self._database.read(read)

    def kinds(self) -> list[str]:
        """Return the kinds of which something waits, however much that is.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        return self._database.read(_kinds)

    def _change(
        self,
        work: Work[Claim, list[T]],
        look: Callable[[Connection], dict[str, str]],
        now: int,
        until: int,
    ) -> list[T]:
        # Looked for beside the writer: mostly nothing is due, and then nothing is written. Where all
        # that was found is wanted no more, what is behind it is looked for: nothing taken must mean
        # that nothing is due, and not that others went first.
        before: dict[str, str] = {}
        while (found := self._database.read(look)) and found != before:
            wanted, users = Claim(found, now, until), list(found.values())
            kept = partial(claiming.kept, until)
            changed: list[T] = self._database.write(
                work, wanted, len(found), about=users, kept=kept
            )
            if changed:
                return changed
            before = found
        return []

    def _owe(self, share: Sequence[Owing]) -> list[Owed | None]:
        users = [each.user_id for each in share]
        kept = partial(owing.kept, share)
        return self._database.write(owing.owe, share, len(share), about=users, kept=kept)


def due(connection: Connection, kind: str, now: int, limit: int) -> dict[str, str]:
    """Return the ids of due deliveries of one kind, the first due first, each with whose it is."""
    wanted = (_column.kind == kind) & (_column.next_attempt_at <= now) & (_column.expires_at > now)
    query = select(_column.id, _column.user_id).where(wanted)
    rows = connection.execute(query.order_by(_column.next_attempt_at).limit(limit))
    return {row.id: whose(row.user_id, row.id) for row in rows}


def over(connection: Connection, now: int, limit: int) -> dict[str, str]:
    """Return the ids of deliveries whose time is over, each with whose it is."""
    # In the order of their index: of a queue that grew since its last ANALYZE PostgreSQL takes most
    # to be over, and without an order it would read the whole table at every look.
    found = select(_column.id, _column.user_id).where(claiming.over(now))
    query = found.order_by(_column.expires_at).limit(limit)
    return {row.id: whose(row.user_id, row.id) for row in connection.execute(query)}


def of_toast(connection: Connection, id: str, seq: int) -> tuple[StoredDelivery, ...]:
    """Return what was owed for a toast at this position, the first first."""
    own = (_column.toast_id == id) & (_column.seq == seq)
    rows = connection.execute(_SHOWN.where(own).order_by(_column.id)).mappings()
    return tuple(map(_shown, rows))


def _kinds(connection: Connection) -> list[str]:
    # From kind to kind along the index: reading what waits would be reading all of it.
    found: list[str] = []
    least = select(func.min(_column.kind)).where(_WAITING)
    while True:
        kind = connection.scalar(least.where(_column.kind > found[-1]) if found else least)
        if kind is None:
            return found
        found.append(kind)


def _add(connection: Connection, fresh: Sequence[Delivery]) -> list[None]:
    owing.add(connection, fresh)
    return [None] * len(fresh)


def _added(id: str, connection: Connection, _result: None) -> bool:
    return connection.scalar(select(_column.id).where(_column.id == id)) is not None


def _shown(row: RowMapping) -> StoredDelivery:
    return StoredDelivery(created_at=ids.made_at(row["id"]) or 0, **row)
