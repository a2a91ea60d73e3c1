"""Make everything of an anonymous principal a user's, in one transaction.

The steps are one list, and each is one short function: whoever adds a table that names users adds
its step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import IntegrityError

from ..deliveries import Delivery
from ..errors import StorageUnavailable
from ..records import AnonymousDevice, Move, Rebound
from . import moving, owing
from .engine import trouble
from .moving import Handover
from .renaming import (
    end_numbering,
    move_claims,
    move_deliveries,
    move_devices,
    move_outbox,
    move_toasts,
)
from .tables import anonymous, sessions, tickets

Owe = Callable[[int], Sequence[Delivery]]
"""Return what is owed to the outside for a move of so many rows; must not block."""


@dataclass(frozen=True, slots=True)
class Task:
    """Say whose rows become whose, when, and in which tables of hosts besides our own."""

    device: AnonymousDevice
    user_id: str
    at: int
    owe: Owe
    hosts: tuple[moving.HostTable, ...]

    @property
    def handover(self) -> Handover:
        """Return who hands over to whom."""
        return Handover(self.device.user_id, self.user_id, self.at)


def rebind(connection: Connection, tasks: Sequence[Task]) -> list[Move | Exception | None]:
    """Carry out each task, or say why it cannot be; ``None``: it is another user's by now."""
    return [_rebind(connection, task) for task in tasks]


def kept(task: Task, connection: Connection, result: Move | Exception | None) -> bool | None:
    """Tell whether a move was kept whose commit was not answered; the rest changed nothing."""
    if not isinstance(result, Move) or not result.rebound.rebound:
        return None
    column = anonymous.c
    own = (column.device_hash == task.device.device_hash) & (column.rebound_to == task.user_id)
    return bool(connection.scalar(select(column.rebound_at).where(own)) == task.at)


def _rebind(connection: Connection, task: Task) -> Move | Exception | None:
    column = anonymous.c
    own = column.device_hash == task.device.device_hash
    found = select(column.anon_uuid, column.rebound_to).where(own).with_for_update()
    row = connection.execute(found).first()
    if row is None or row.anon_uuid != task.device.anon_uuid:
        return StorageUnavailable("the device was forgotten meanwhile; nothing was kept")
    if row.rebound_to not in (None, task.user_id):
        return None
    try:
        with _whole(connection):
            return _move(connection, task, first=row.rebound_to is None)
    except Exception as error:
        if trouble(error) is not None:
            raise  # the database's state: it is tried again, or told to everybody
        return error


@contextmanager
def _whole(connection: Connection) -> Iterator[None]:
    """Take everything back when something goes wrong, and nothing of anybody else's."""
    with connection.begin_nested():
        deferring = connection.dialect.name == "postgresql"
        if deferring:  # of two tables that refer to each other one is moved first
            connection.exec_driver_sql("SET CONSTRAINTS ALL DEFERRED")
        yield
        if deferring:
            try:
                connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
            except IntegrityError as error:
                orig: Any = error.orig
                raise moving.told(error, orig.diag.table_name) from error


def _move(connection: Connection, task: Task, *, first: bool) -> Move:
    ended = end_sessions(connection, task)
    counts = {name: step(connection, task.handover) for name, step in STEPS.items()}
    rows = sum(counts.values()) + move_hosts(connection, task)
    answer = Rebound(rebound=first or rows > 0, rows_updated=rows, anon_uuid=task.device.anon_uuid)
    if answer.rebound:
        note(connection, task)
        owing.add(connection, task.owe(rows))
    return Move(rebound=answer, toasts=counts["toasts"], ended=ended)


def end_sessions(connection: Connection, task: Task) -> tuple[str, ...]:
    """End what is alive of the old owner; return the hashes.

    Ended, not moved: a token that was had without signing in must never become a user's.
    """
    old, column = task.device.user_id, sessions.c
    connection.execute(delete(tickets).where(tickets.c.user_id == old))
    alive = (column.user_id == old) & column.revoked_at.is_(None) & (column.expires_at > task.at)
    ending = update(sessions).where(alive).values(revoked_at=task.at)
    return tuple(connection.scalars(ending.returning(column.token_hash)))


def move_hosts(connection: Connection, task: Task) -> int:
    """Move what the hosts' tables hold; return how many rows."""
    return sum(moving.move(connection, host, task.handover) for host in task.hosts)


def note(connection: Connection, task: Task) -> None:
    """Write down whose the device's principal is."""
    own = update(anonymous).where(anonymous.c.device_hash == task.device.device_hash)
    connection.execute(own.values(rebound_to=task.user_id, rebound_at=task.at))


STEPS: dict[str, Callable[[Connection, Handover], int]] = {
    "toasts": move_toasts,
    "dedupe": move_claims,
    "outbox": move_outbox,
    "deliveries": move_deliveries,
    "devices": move_devices,
    "principals": end_numbering,
}
"""What is done with each of toastkit's own tables, in this order; each returns how many rows."""
