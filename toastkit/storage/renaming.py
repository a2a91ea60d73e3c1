"""Make one principal's rows of toastkit's own tables another's, with the topics they name."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import (
    Connection,
    Select,
    Subquery,
    case,
    delete,
    exists,
    func,
    literal,
    select,
    update,
)

from .. import ids, principals
from ..events import Event
from ..topics import own
from .accepting import ADVANCE
from .marking import DECIDED
from .moving import Handover
from .spelling import as_json, run
from .tables import dedupe, deliveries, devices, outbox, toasts
from .tables import principals as numbering

COLLAPSE = f"""
UPDATE toastkit_toasts SET replaced_by = winner.id, {DECIDED}
FROM (SELECT id, created_at, seq FROM toastkit_toasts
      WHERE user_id = ? AND collapse_key = ? AND replaced_by IS NULL AND delivered_at IS NOT NULL
      ORDER BY created_at DESC, seq DESC LIMIT 1) AS winner
WHERE toastkit_toasts.user_id = ? AND toastkit_toasts.collapse_key = ?
  AND toastkit_toasts.replaced_by IS NULL
  AND (toastkit_toasts.created_at, toastkit_toasts.seq) < (winner.created_at, winner.seq)
"""  # noqa: S608 - made of marking's text
"""Let the newest delivered toast of two users' replace all before it. By the time it was made:
positions tell of the order in which toasts became the user's."""


def renamed(text: str, given: Handover) -> str:
    """Return a topic that belonged to the old owner as the new owner's; any other as it is."""
    before = own(given.old)
    if text == before or text.startswith(f"{before}:"):
        return own(given.new) + text[len(before) :]
    return text


def move_toasts(connection: Connection, given: Handover) -> int:
    """Give toasts positions after the user's own, in their order.

    What was shown before is marked, so that it is not shown again on the user's other devices.
    What is undecided is due at once: whoever was about to decide it asks for the old owner's.
    """
    column = toasts.c
    mine = column.user_id == given.old
    count = connection.scalar(select(func.count()).select_from(toasts).where(mine))
    if not count:
        return 0
    keys = _open_keys(connection, given)
    before = _advance(connection, given.new, count) - count
    place = (func.row_number().over(order_by=column.seq) + before).label("seq")
    moved = select(column.id, column.seq.label("old"), place).where(mine).subquery("moved")
    undecided = column.state == "accepted"
    values = {
        "user_id": given.new,
        "seq": moved.c.seq,
        "topic": _topic(given),
        "reason": case((column.delivered_at.is_not(None), "rebound"), else_=column.reason),
        "due_at": case((undecided, given.at), else_=column.due_at),
        "lease_until": case((undecided, None), else_=column.lease_until),
    }
    _keep_owed(connection, moved)
    connection.execute(update(toasts).where(column.id == moved.c.id).values(values))
    if keys:
        run(connection, COLLAPSE, [(given.new, key) * 2 for key in keys])
    return count


def move_claims(connection: Connection, given: Handover) -> int:
    """Move dedupe keys; of two who hold the same one the user's claim counts, if it is held.

    What nobody has seen of the other's is a duplicate by that, and is never shown.
    """
    mine, theirs = dedupe.alias("mine"), dedupe.alias("theirs")
    key, until = dedupe.c.key, dedupe.c.until
    held = exists().where(mine.c.user_id == given.old, mine.c.key == key, mine.c.until > given.at)
    over = delete(dedupe).where(dedupe.c.user_id == given.new, until <= given.at, held)
    connection.execute(over)
    taken = exists().where(theirs.c.user_id == given.new, theirs.c.key == key)
    late = (dedupe.c.user_id == given.old) & taken
    counts = exists().where(
        theirs.c.user_id == given.new, theirs.c.key == key, theirs.c.until > given.at
    )
    _supersede(connection, select(dedupe.c.toast_id).where(late, counts))
    connection.execute(delete(dedupe).where(late))
    return _rename(connection, dedupe, given)


def move_outbox(connection: Connection, given: Handover) -> int:
    """Move toasts that were committed by a host and wait to be accepted."""
    column = outbox.c
    rows = connection.execute(
        select(column.number, column.event).where(column.user_id == given.old)
    ).all()
    for row in rows:
        written = update(outbox).where(column.number == row.number)
        connection.execute(written.values(user_id=given.new, event=_event(row.event, given)))
    return len(rows)


def move_deliveries(connection: Connection, given: Handover) -> int:
    """Move what is owed to the outside, and rename the topics in it."""
    column = deliveries.c
    names = column.payload.contains(own(given.old), autoescape=True)
    wanted = select(column.id, column.payload).where(column.user_id == given.old, names)
    for row in connection.execute(wanted).all():
        with suppress(msgspec.MsgspecError):  # nobody can carry it; it is moved all the same
            payload = _renamed_within(msgspec.json.decode(row.payload), given)
            written = update(deliveries).where(column.id == row.id)
            connection.execute(written.values(payload=as_json(payload)))
    return _rename(connection, deliveries, given)


def move_devices(connection: Connection, given: Handover) -> int:
    """Move devices; a device id has one owner, so that none is in the way."""
    return _rename(connection, devices, given)


def end_numbering(connection: Connection, given: Handover) -> int:
    """Forget the old owner's positions: nothing is left that has one. The user's go on."""
    connection.execute(delete(numbering).where(numbering.c.user_id == given.old))
    return 0


def _rename(connection: Connection, table: Any, given: Handover) -> int:
    mine = update(table).where(table.c.user_id == given.old)
    return connection.execute(mine.values(user_id=given.new)).rowcount


def _keep_owed(connection: Connection, moved: Subquery) -> None:
    # What is owed for a toast is known by its position, and would be dropped as another's. What was
    # owed for one whose place a retry has taken is of none: 0, which no toast has.
    column = deliveries.c
    owed = (column.toast_id == moved.c.id) & column.seq.is_not(None)
    follows = case((column.seq == moved.c.old, moved.c.seq), else_=0)
    connection.execute(update(deliveries).where(owed).values(seq=follows))


def _supersede(connection: Connection, late: Select[Any]) -> None:
    open_ = ("accepted", "owed", "undelivered", "failed")
    unseen = toasts.c.id.in_(late) & toasts.c.state.in_(open_) & toasts.c.delivered_at.is_(None)
    ended = {"state": "superseded", "reason": "duplicate", "due_at": None, "lease_until": None}
    connection.execute(update(toasts).where(unseen).values(ended))


def _open_keys(connection: Connection, given: Handover) -> list[str]:
    column = toasts.c
    wanted = (column.user_id == given.old) & column.collapse_key.is_not(None)
    keys = select(column.collapse_key).where(wanted, column.replaced_by.is_(None)).distinct()
    return sorted(connection.scalars(keys))


def _advance(connection: Connection, user_id: str, count: int) -> int:
    wanted = as_json([(user_id, count, ids.epoch())])
    [(_, seq, _)] = run(connection, ADVANCE, (wanted,))
    return int(seq)


def _topic(given: Handover) -> Any:
    column, before, after = toasts.c.topic, own(given.old), own(given.new)
    below = func.substr(column, 1, len(before) + 1) == f"{before}:"
    return case(
        (column == before, after),
        (below, literal(after) + func.substr(column, len(before) + 1)),
        else_=column,
    )


def _event(text: str, given: Handover) -> str:
    try:
        event = msgspec.json.decode(text, type=Event)
    except msgspec.MsgspecError:
        return text  # nobody can relay it; it is the user's to be forgotten all the same
    topic = None if event.topic is None else renamed(event.topic, given)
    route = principals.route(given.new)
    return as_json(replace(event, user_id=given.new, route=route, topic=topic))


def _renamed_within(value: Any, given: Handover) -> Any:
    if isinstance(value, str):
        return renamed(value, given)
    if isinstance(value, list):
        return [_renamed_within(each, given) for each in value]
    if isinstance(value, dict):
        return {name: _renamed_within(each, given) for name, each in value.items()}
    return value
