"""Take toasts in: claim their dedupe keys, give them positions, store their rows.

A publish pays for this, so the statements are text and each serves a whole group. Rows travel as
one JSON parameter: the statement's text stays the same for every size and is prepared once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from .. import ids
from ..clock import Clock
from ..errors import Invalid
from ..events import Event
from ..records import Accepted
from .spelling import as_json, run, spell

CLAIM = """
INSERT INTO toastkit_dedupe (user_id, key, toast_id, until)
SELECT value ->> 0, value ->> 1, value ->> 2, CAST(value ->> 3 AS BIGINT)
FROM json_each(?) WHERE true
ON CONFLICT (user_id, key) DO UPDATE SET
    toast_id = CASE WHEN toastkit_dedupe.until < -? THEN toastkit_dedupe.toast_id
               ELSE excluded.toast_id END,
    until = excluded.until
WHERE toastkit_dedupe.until <= ?
RETURNING user_id, key, toast_id
"""
"""Claim keys that are free. A claim released inside its window gives the id of the toast it stood
for, which is then overwritten. A key that is held gives no row."""

HOLDERS = """
SELECT dedupe.user_id, dedupe.key, dedupe.toast_id,
       COALESCE(toasts.seq, 0), COALESCE(principals.epoch, '')
FROM json_each(?) AS wanted
JOIN toastkit_dedupe AS dedupe
  ON dedupe.user_id = wanted.value ->> 0 AND dedupe.key = wanted.value ->> 1
LEFT JOIN toastkit_toasts AS toasts ON toasts.id = dedupe.toast_id
LEFT JOIN toastkit_principals AS principals ON principals.user_id = dedupe.user_id
"""

ADVANCE = """
INSERT INTO toastkit_principals (user_id, seq, epoch)
SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), value ->> 2
FROM json_each(?) WHERE true
ON CONFLICT (user_id) DO UPDATE SET seq = toastkit_principals.seq + excluded.seq
RETURNING user_id, seq, epoch
"""

COLUMNS = (
    *("id", "seq", "user_id", "topic", "title", "body", "style", "priority", "deeplink", "data"),
    *("dedupe_key", "collapse_key", "created_at", "expires_at", "state", "due_at", "fallback"),
)
STORE = (
    f"INSERT INTO toastkit_toasts ({', '.join(COLUMNS)}) "  # noqa: S608 - names from above
    f"VALUES ({', '.join('?' * len(COLUMNS))})"
)
REMOVE = "DELETE FROM toastkit_toasts WHERE id = ?"
KEPT = "SELECT count(*) FROM toastkit_toasts WHERE id = ? AND seq = ?"

Key = tuple[str, str]


class Row:
    """One toast on its way into the inbox: its event, its stored values, and what became of it."""

    __slots__ = ("accepted", "event", "id", "key", "user_id", "values")

    def __init__(self, event: Event, due_at: int) -> None:
        self.event = event
        self.id = event.id
        self.user_id = _user(event)
        self.key = _key(event)
        self.values = _values(event, due_at)
        self.accepted: Accepted | None = None


class Accepting:
    """Carry out one group's accepts; called in the writer's thread, inside its transaction."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def carry_out(
        self, connection: Connection, members: Sequence[Sequence[Row]]
    ) -> list[list[Accepted]]:
        """Store what is new, answer what is a repeat; one list of answers per member."""
        rows = [row for member in members for row in member]
        repeats = self._claim(connection, rows)
        _store(connection, [row for row in rows if row not in repeats])
        _answer_repeats(connection, repeats)
        return [[_answer(row) for row in member] for member in members]

    def _claim(self, connection: Connection, rows: Sequence[Row]) -> dict[Row, Key]:
        """Claim every key once for its first row; return the rows that came too late."""
        first: dict[Key, Row] = {}
        for row in rows:
            if row.key is not None:
                first.setdefault(row.key, row)
        if not first:
            return {}
        claims = [(*key, row.event.id, _until(row.event)) for key, row in first.items()]
        now = self._clock.now()
        given = run(connection, CLAIM, (as_json(claims), now, now))
        holds = {(user_id, key): toast_id for user_id, key, toast_id in given}
        _overwrite(connection, first, holds)
        return {
            row: row.key
            for row in rows
            if row.key is not None and not (row is first[row.key] and row.key in holds)
        }


def kept(connection: Connection, accepted: Sequence[Accepted]) -> bool | None:
    """Tell whether what was accepted is there; ``None`` of repeats, which stored nothing."""
    for each in accepted:
        if not each.duplicate:
            found = connection.exec_driver_sql(spell(connection, KEPT), (each.id, each.seq))
            return bool(found.scalar())
    return None


def _overwrite(connection: Connection, first: dict[Key, Row], holds: dict[Key, str]) -> None:
    """Let a retry take the place of the toast that reached nobody: same id, all else new."""
    elder = []
    for key, toast_id in holds.items():
        # Not the row's own id: a commit that failed may have given it the elder's already.
        if toast_id != first[key].event.id:
            elder.append((toast_id,))
        first[key].id = toast_id
    if elder:
        run(connection, REMOVE, elder)


def _store(connection: Connection, rows: Sequence[Row]) -> None:
    if not rows:
        return
    counts = Counter(row.event.user_id for row in rows)
    wanted = [(user_id, count, ids.epoch()) for user_id, count in counts.items()]
    given = run(connection, ADVANCE, (as_json(wanted),))
    last = {user_id: (seq - counts[user_id], epoch) for user_id, seq, epoch in given}
    stored = []
    for row in rows:
        user_id = row.event.user_id
        seq, epoch = last[user_id]
        last[user_id] = seq + 1, epoch
        row.accepted = Accepted(row.id, seq + 1, epoch)
        stored.append((row.id, seq + 1, *row.values))
    run(connection, STORE, stored)


def _answer_repeats(connection: Connection, repeats: dict[Row, Key]) -> None:
    """Name the toast that holds the key: one of an earlier commit, or an elder of this group."""
    if not repeats:
        return
    keys = sorted(set(repeats.values()))
    holders = {
        (user_id, key): Accepted(toast_id, seq, epoch, duplicate=True)
        for user_id, key, toast_id, seq, epoch in run(connection, HOLDERS, (as_json(keys),))
    }
    for row, key in repeats.items():
        row.accepted = holders[key]


def _answer(row: Row) -> Accepted:
    assert row.accepted is not None
    return row.accepted


def _key(event: Event) -> Key | None:
    if event.dedupe_key is None:
        return None
    return _user(event), event.dedupe_key


def _user(event: Event) -> str:
    if event.user_id is None:
        raise Invalid("user_id required", ("user_id",), "missing")
    return event.user_id


def _until(event: Event) -> int:
    return event.created_at + event.dedupe_ms


def _values(event: Event, due_at: int) -> tuple[Any, ...]:
    """Return what is stored of an event, in the order of ``COLUMNS`` after the position.

    Raises:
        Invalid: something in it cannot be stored. Found here, before it joins a group: one bad
            row would fail everybody's commit.
    """
    content = event.data
    values = (
        _user(event),
        event.topic,
        *(content[name] for name in ("title", "body", "style", "priority", "deeplink")),
        None if content["data"] is None else as_json(content["data"]),
        *(event.dedupe_key, event.collapse_key, event.created_at, event.expires_at),
        *("accepted", due_at, event.fallback),
    )
    try:
        text = " ".join(filter(_is_text, values)).encode()
    except UnicodeEncodeError:
        raise Invalid("text must not contain lone surrogates", (), "characters") from None
    if b"\0" in text:
        raise Invalid("text must not contain NUL", (), "characters")
    return values


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
