"""Note what users do with their toasts in the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, update

from ..records import ReadMark
from .stored import listed, position
from .tables import toasts

_column = toasts.c


@dataclass(frozen=True, slots=True)
class Mark:
    """One user's mark on one toast."""

    user_id: str
    id: str
    mark: ReadMark
    at: int


@dataclass(frozen=True, slots=True)
class AllRead:
    """One user has read everything, up to and with one toast (``None``: all there is)."""

    user_id: str
    up_to: str | None
    at: int


def set_read(connection: Connection, marks: Sequence[Mark]) -> list[bool]:
    """Carry out marks in their order; tell of each whether there is such a toast."""
    return [_set(connection, mark) for mark in marks]


def read_all(connection: Connection, wishes: Sequence[AllRead]) -> list[int | None]:
    """Mark what is unread as read; tell of each wish how many the plain list showed as unread."""
    return [_read_all(connection, wish) for wish in wishes]


def _set(connection: Connection, mark: Mark) -> bool:
    own = (_column.id == mark.id) & (_column.user_id == mark.user_id)
    here = own & _column.deleted_at.is_(None)
    done = connection.execute(update(toasts).where(here).values(_values(mark.mark, mark.at)))
    return done.rowcount == 1


def _values(mark: ReadMark, at: int) -> dict[str, Any]:
    if mark == "unread":
        return {"read_at": None}
    if mark == "deleted":
        return {"deleted_at": at}
    # The first time stays. Reading is seeing, too.
    names = ("read_at", "seen_at") if mark == "read" else ("seen_at",)
    return {name: func.coalesce(_column[name], at) for name in names}


def _read_all(connection: Connection, wish: AllRead) -> int | None:
    unread = (
        (_column.user_id == wish.user_id) & _column.read_at.is_(None) & _column.deleted_at.is_(None)
    )
    if wish.up_to is not None:
        seq = position(connection, wish.user_id, wish.up_to)
        if seq is None:
            return None
        unread &= _column.seq <= seq
    # Those that a newer one has replaced are read, too, but no list counted them as unread.
    count = connection.scalar(select(func.count()).where(unread, listed(wish.at)))
    connection.execute(update(toasts).where(unread).values(_values("read", wish.at)))
    return count
