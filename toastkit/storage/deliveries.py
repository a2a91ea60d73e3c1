"""What is owed to the outside world: claimed by lease, settled by who holds the claim."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Update, func, select, update

from .. import ids
from ..clock import Clock
from ..deliveries import Carried, Delivery, DeliveryState, StoredDelivery
from .database import Database
from .group import Work
from .tables import deliveries

T = TypeVar("T", Delivery, str)

_column = deliveries.c
_WAITING = _column.next_attempt_at.is_not(None)
_SHOWN = select(
    *(_column[name] for name in StoredDelivery.__struct_fields__ if name != "created_at")
)


class Executes(Protocol):
    """A connection or a session, inside its transaction."""

    def execute(self, statement: Any, parameters: Any) -> Any:
        """Execute a statement."""


def add(place: Executes, fresh: Sequence[Delivery]) -> None:
    """Owe deliveries as a part of the transaction that ``place`` is in; due at once.

    Locks nothing that others need; a rollback takes it back.
    """
    rows = [
        {
            "id": delivery.id,
            "kind": delivery.kind,
            "target": delivery.target,
            "toast_id": delivery.toast_id,
            "user_id": delivery.user_id,
            "payload": msgspec.json.encode(delivery.payload).decode(),
            "state": "waiting",
            "attempts": 0,
            "next_attempt_at": delivery.created_at,
            "expires_at": delivery.expires_at,
        }
        for delivery in fresh
    ]
    if rows:
        place.execute(deliveries.insert(), rows)


@dataclass(frozen=True, slots=True)
class Claim:
    """Say which deliveries are to be taken, when, and until when for."""

    ids: tuple[str, ...]
    now: int
    until: int


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
        self._database.write(_add, delivery, about=[_whose(delivery)], kept=kept)

    def claim(self, room: Mapping[str, int], lease_ms: int) -> list[Delivery]:
        """Take due deliveries for ``lease_ms``, of each kind at most so many.

        Raises:
            StorageUnavailable: nothing was taken.
        """
        now = self._clock.now()

        def look(connection: Connection) -> dict[str, str]:
            found = (due(connection, kind, now, room[kind]) for kind in room)
            return {id: whose for some in found for id, whose in some.items()}

        return self._change(claim, look, now, now + lease_ms)

    def expire(self, limit: int) -> int:
        """End deliveries whose time is over, but those an attempt at which goes on; tell how many.

        Raises:
            StorageUnavailable: they wait as before.
        """
        now = self._clock.now()
        return len(self._change(expire, lambda connection: over(connection, now, limit), now, now))

    def renew(self, claimed: Sequence[Delivery], lease_ms: int) -> None:
        """Keep claims for another ``lease_ms``, with the next commit; returns at once.

        A claim that is somebody else's by now stays theirs.
        """
        until = self._clock.now() + lease_ms
        for delivery in claimed:
            self._database.owe(_renew, (delivery, until), about=[_whose(delivery)])

    def settle(self, carried: Carried) -> None:
        """Note what became of an attempt, with the next commit; returns at once."""
        self._database.owe(_settle, carried, about=[_whose(carried.delivery)])

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
        # Looked for beside the writer: mostly nothing is due, and then nothing is written.
        found = self._database.read(look)
        if not found:
            return []
        wanted, users = Claim(tuple(found), now, until), list(found.values())
        kept = partial(_kept, until)
        return self._database.write(work, wanted, len(found), about=users, kept=kept)


def due(connection: Connection, kind: str, now: int, limit: int) -> dict[str, str]:
    """Return the ids of due deliveries of one kind, the first due first, each with whose it is."""
    wanted = (_column.kind == kind) & (_column.next_attempt_at <= now) & (_column.expires_at > now)
    query = select(_column.id, _column.user_id).where(wanted)
    rows = connection.execute(query.order_by(_column.next_attempt_at).limit(limit))
    return {row.id: row.user_id or row.id for row in rows}


def over(connection: Connection, now: int, limit: int) -> dict[str, str]:
    """Return the ids of deliveries whose time is over, each with whose it is."""
    query = select(_column.id, _column.user_id).where(_over(now)).limit(limit)
    return {row.id: row.user_id or row.id for row in connection.execute(query)}


def claim(connection: Connection, claims: Sequence[Claim]) -> list[list[Delivery]]:
    """Take deliveries for each of several who look; nobody gets one that another has taken."""
    return [_take(connection, claim) for claim in claims]


def expire(connection: Connection, claims: Sequence[Claim]) -> list[list[str]]:
    """End deliveries whose time is over; return the ids of those that were not ended before."""
    return [_expire(connection, claim) for claim in claims]


def _whose(delivery: Delivery) -> str:
    return delivery.user_id or delivery.id


def _over(now: int) -> ColumnElement[bool]:
    return (_column.next_attempt_at <= now) & (_column.expires_at <= now)


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
    add(connection, fresh)
    return [None] * len(fresh)


def _added(id: str, connection: Connection, _result: None) -> bool:
    return connection.scalar(select(_column.id).where(_column.id == id)) is not None


def _kept(until: int, connection: Connection, changed: Sequence[Delivery | str]) -> bool | None:
    """Tell whether a claim is in the database whose commit was not answered."""
    if not changed or isinstance(changed[0], str):
        return None
    first = select(_column.lease_until).where(_column.id == changed[0].id)
    return bool(connection.scalar(first) == until)


def _take(connection: Connection, claim: Claim) -> list[Delivery]:
    taking = update(deliveries).values(
        next_attempt_at=claim.until, lease_until=claim.until, attempts=_column.attempts + 1
    )
    taking = taking.where(_column.id.in_(_free(claim))).returning(deliveries)
    rows = connection.execute(taking).mappings().all()
    return sorted(filter(None, (_readable(connection, row) for row in rows)), key=_oldest)


def _expire(connection: Connection, claim: Claim) -> list[str]:
    ending = _changed("expired").where(_column.id.in_(_free(claim)), _over(claim.now))
    return list(connection.execute(ending.returning(_column.id)).scalars())


def _free(claim: Claim) -> Select[tuple[str]]:
    # Looked at again, for another process may have taken them meanwhile. Rows that another
    # transaction holds are passed over, not waited for.
    wanted = _column.id.in_(claim.ids) & (_column.next_attempt_at <= claim.now)
    return select(_column.id).where(wanted).with_for_update(skip_locked=True)


def _readable(connection: Connection, row: RowMapping) -> Delivery | None:
    try:
        payload = msgspec.json.decode(row["payload"], type=dict[str, Any])
    except msgspec.MsgspecError:
        # One row that nobody can read must not keep the others from being carried.
        failed = _changed("failed", "its payload is no JSON object")
        connection.execute(failed.where(_column.id == row["id"]))
        return None
    return Delivery(
        id=row["id"],
        kind=row["kind"],
        target=row["target"],
        payload=payload,
        created_at=ids.made_at(row["id"]) or 0,
        expires_at=row["expires_at"],
        user_id=row["user_id"],
        toast_id=row["toast_id"],
        attempts=row["attempts"] - 1,
    )


def _renew(connection: Connection, claimed: Sequence[tuple[Delivery, int]]) -> list[None]:
    for delivery, until in claimed:
        renewal = update(deliveries).values(next_attempt_at=until, lease_until=until)
        connection.execute(renewal.where(_own(delivery)))
    return [None] * len(claimed)


def _settle(connection: Connection, members: Sequence[Carried]) -> list[None]:
    for carried in members:
        # What was sent was sent, whoever has taken it meanwhile; anything else is for the one who
        # holds the claim to say.
        sent = (_column.id == carried.delivery.id) & (_column.state != "sent")
        holder = sent if carried.state == "sent" else _own(carried.delivery)
        change = _changed(carried.state, carried.answer, carried.next_attempt_at)
        connection.execute(change.where(holder))
    return [None] * len(members)


def _own(delivery: Delivery) -> ColumnElement[bool]:
    """Choose a delivery as long as it is claimed by who was given it: claims are counted."""
    claimed = _column.attempts == delivery.attempts + 1
    return (_column.id == delivery.id) & (_column.state == "waiting") & claimed


def _changed(state: DeliveryState, answer: str | None = None, at: int | None = None) -> Update:
    change = update(deliveries).values(state=state, next_attempt_at=at, lease_until=None)
    return change if answer is None else change.values(last_answer=answer)


def _shown(row: RowMapping) -> StoredDelivery:
    return StoredDelivery(created_at=ids.made_at(row["id"]) or 0, **row)


def _oldest(delivery: Delivery) -> tuple[int, str]:
    return delivery.created_at, delivery.id
