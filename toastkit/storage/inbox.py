"""The inbox: toasts as they are accepted, decided and listed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Select, select

from ..clock import Clock
from ..errors import Invalid
from ..events import Event
from ..records import Accepted, StateChange, StoredToast
from .accepting import Accepting, Row
from .database import Database
from .marking import FROM, mark
from .tables import toasts
from .writer import GROUP

T = TypeVar("T")
Then = Callable[[list[Accepted]], object]

_FIELDS = StoredToast.__struct_fields__
_LISTED = select(*(toasts.c[name] for name in _FIELDS))


class Inbox:
    """Store every toast once, in the order of each principal's positions."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._accepting = Accepting(clock)

    def accept(
        self, events: Sequence[Event], due_ms: int, then: Then | None = None
    ) -> list[Accepted]:
        """Store toasts in one commit; return once they are on disk, one answer each, in order.

        ``due_ms`` from now an undecided toast is due to be decided again. ``then`` is given the
        answers on the loop, before this returns: of one principal, in the order of positions.

        Raises:
            Invalid: an event cannot be stored; nothing was kept.
            StorageUnavailable: the database is locked, full or gone; nothing was kept.
        """
        rows = [Row(event, due_ms) for event in events]
        return self._database.write(self._accepting.carry_out, rows, len(rows), then=then)

    def mark(self, changes: Sequence[StateChange]) -> None:
        """Change toasts' states with the next commit; returns at once.

        A change that its toast's state does not allow any more is dropped.

        Raises:
            Invalid: a state is named that no toast may enter.
        """
        for change in changes:
            if change.state not in FROM:
                raise Invalid(f"no toast may become {change.state}", ("state",))
        for share in _shares(changes):
            self._database.owe(mark, share, len(share))

    def page(self, user_id: str, limit: int, include_collapsed: bool = False) -> list[StoredToast]:
        """Return a principal's newest toasts, newest first.

        Left out: deleted ones, undelivered ones past their time to live, and, unless asked for,
        ones that a newer delivered toast of the same collapse key has replaced.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        query = _page(user_id, self._clock.now(), include_collapsed).limit(limit)

        def read(connection: Connection) -> list[StoredToast]:
            return [_toast(row) for row in connection.execute(query)]

        return self._database.read(read)


def _page(user_id: str, now: int, include_collapsed: bool) -> Select[Any]:
    column = toasts.c
    alive = column.delivered_at.is_not(None) | column.expires_at.is_(None)
    query = _LISTED.where(
        column.user_id == user_id,
        column.deleted_at.is_(None),
        column.state != "expired",
        alive | (column.expires_at > now),
    )
    if not include_collapsed:
        query = query.where(column.replaced_by.is_(None), column.state != "superseded")
    return query.order_by(column.seq.desc())


def _toast(row: Any) -> StoredToast:
    values = dict(zip(_FIELDS, row, strict=True))
    if values["data"] is not None:
        values["data"] = msgspec.json.decode(values["data"])
    return StoredToast(**values)


def _shares(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), GROUP):
        yield items[start : start + GROUP]
