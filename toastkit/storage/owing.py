"""Owe deliveries: those a program asks for, and those of toasts that nobody was there for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, select

from .. import ids
from ..deliveries import DEVICE_KINDS, Delivery, Due, Owed, Owing
from .concluding import conclude
from .spelling import Executes, as_json, run
from .tables import deliveries, toasts

TAKE = """
UPDATE toastkit_toasts SET state = 'owed', due_at = NULL, lease_until = NULL
FROM (SELECT value ->> 0 AS id, value ->> 1 AS user_id, CAST(value ->> 2 AS BIGINT) AS seq,
             value ->> 3 AS state
      FROM json_each(?)) AS wanted
WHERE toastkit_toasts.id = wanted.id AND toastkit_toasts.user_id = wanted.user_id
  AND toastkit_toasts.seq = wanted.seq AND toastkit_toasts.state = wanted.state
RETURNING toastkit_toasts.id, COALESCE(read_at, seen_at, deleted_at), replaced_by
"""
"""Take toasts that nobody has decided, and tell of each what its user has done with it. As it is:
of ``IS NULL`` SQLite 3.40 makes 0 here."""

DEVICES = """
SELECT devices.user_id, devices.device_id
FROM json_each(?) AS wanted
JOIN toastkit_devices AS devices ON devices.user_id = wanted.value ->> 0
WHERE devices.push_token IS NOT NULL
ORDER BY devices.user_id, devices.device_id
"""


def add(place: Executes, fresh: Sequence[Delivery]) -> None:
    """Owe deliveries as a part of the transaction that ``place`` is in; due at once.

    Locks nothing that others need; a rollback takes it back.
    """
    rows = [_row(each, as_json(each.payload), each.created_at) for each in fresh]
    if rows:
        place.execute(deliveries.insert(), rows)


def owe(connection: Connection, members: Sequence[Sequence[Owing]]) -> list[list[Owed | None]]:
    """Take toasts out of all other hands, and owe what their steps ask for.

    With nothing to owe a toast is decided by that. ``None``: it was decided before, or its user has
    seen it or deleted it already.
    """
    owings = [owing for member in members for owing in member]
    taken = _take(connection, owings)
    devices = _devices(connection, {owing.user_id for owing in taken.values()})
    due = {id: list(_due(owing, devices[owing.user_id])) for id, owing in taken.items()}
    rows = [row for id, owing in taken.items() for row in _rows(owing, due[id])]
    if rows:
        connection.execute(deliveries.insert(), rows)
    conclude(connection, {each.toast_id: each.at for each in owings if not due.get(each.toast_id)})
    return [
        [_owed(owing, due) if taken.get(owing.toast_id) is owing else None for owing in member]
        for member in members
    ]


def kept(
    owings: Sequence[Owing], connection: Connection, results: Sequence[Owed | None]
) -> bool | None:
    """Tell whether what was owed is there whose commit was not answered."""
    for owing, owed in zip(owings, results, strict=True):
        if owed is not None and (owed.now or owed.later):
            column = deliveries.c
            own = (column.toast_id == owing.toast_id) & (column.seq == owing.seq)
            return connection.scalar(select(column.id).where(own).limit(1)) is not None
        if owed is not None and not owing.gated:
            state = select(toasts.c.state).where(toasts.c.id == owing.toast_id)
            return bool(connection.scalar(state) != "accepted")
    return None


def _take(connection: Connection, owings: Sequence[Owing]) -> dict[str, Owing]:
    """Return those of which something is to be owed, by the toast's id; each once."""
    wanted = [
        (each.toast_id, each.user_id, each.seq, "written" if each.gated else "accepted")
        for each in owings
    ]
    given = run(connection, TAKE, (as_json(wanted),))
    open_ids = {id for id, met_at, replaced_by in given if met_at is None and replaced_by is None}
    taken: dict[str, Owing] = {}
    for owing in owings:
        if owing.toast_id in open_ids:
            taken.setdefault(owing.toast_id, owing)
    return taken


def _devices(connection: Connection, user_ids: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    asked = [(user_id,) for user_id in sorted(user_ids)]
    if asked:
        for user_id, device_id in run(connection, DEVICES, (as_json(asked),)):
            found[user_id].append(device_id)
    return found


def _due(owing: Owing, devices: Sequence[str]) -> Iterator[tuple[Due, str]]:
    for due in owing.dues:
        for target in devices if due.kind in DEVICE_KINDS else ("",):
            yield due, target


def _rows(owing: Owing, due: Sequence[tuple[Due, str]]) -> Iterator[dict[str, Any]]:
    payload = as_json(owing.payload)
    names = sorted(ids.delivery_id(owing.at) for _ in due)  # in the order of the steps
    for name, (step, target) in zip(names, due, strict=True):
        delivery = Delivery(
            id=name,
            kind=step.kind,
            target=target,
            payload=owing.payload,
            created_at=owing.at,
            expires_at=step.expires_at,
            user_id=owing.user_id,
            toast_id=owing.toast_id,
            seq=owing.seq,
        )
        yield _row(delivery, payload, step.at) | {"despite_ack": step.despite_ack}


def _owed(owing: Owing, due: dict[str, list[tuple[Due, str]]]) -> Owed:
    steps = due[owing.toast_id]
    now = [step.kind for step, _ in steps if step.at <= owing.at]
    return Owed(len(now), len(steps) - len(now), now[0] if now else None)


def _row(delivery: Delivery, payload: str, at: int) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "kind": delivery.kind,
        "target": delivery.target,
        "toast_id": delivery.toast_id,
        "user_id": delivery.user_id,
        "payload": payload,
        "state": "waiting",
        "attempts": 0,
        "next_attempt_at": at,
        "expires_at": delivery.expires_at,
        "seq": delivery.seq,
    }
