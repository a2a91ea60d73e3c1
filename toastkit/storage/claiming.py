"""Take deliveries that are due, but drop those that nobody wants any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, RowMapping, Update, select, update

from .. import ids
from ..deliveries import DEVICE_KINDS, Delivery, DeliveryState, Ended
from ..records import Device
from .concluding import NO_DEVICE, REPLACED, conclude
from .spelling import as_json, run
from .tables import deliveries, devices, toasts

_column = deliveries.c
_DEVICE = select(*(devices.c[name] for name in Device.__struct_fields__))
_TOAST = select(
    *(toasts.c.id, toasts.c.user_id, toasts.c.seq, toasts.c.state, toasts.c.replaced_by),
    *(toasts.c.acked_at, toasts.c.read_at, toasts.c.seen_at, toasts.c.deleted_at),
    toasts.c.collapse_key,
)

PASSED = """
SELECT wanted.value ->> 0 FROM json_each(?) AS wanted WHERE (
    SELECT newer.id FROM toastkit_toasts AS newer
    JOIN toastkit_deliveries AS theirs ON theirs.toast_id = newer.id AND theirs.seq = newer.seq
    WHERE newer.user_id = wanted.value ->> 1 AND newer.collapse_key = wanted.value ->> 2
      AND newer.seq > CAST(wanted.value ->> 3 AS BIGINT)
      AND newer.replaced_by IS NULL AND newer.deleted_at IS NULL
      AND theirs.kind = wanted.value ->> 4 AND theirs.target = wanted.value ->> 5
      AND theirs.state = 'waiting' AND theirs.expires_at > ?
      AND (theirs.next_attempt_at <= ? OR theirs.attempts > 0)
    ORDER BY newer.seq DESC LIMIT 1) IS NOT NULL
"""
"""Of these deliveries, those whose place a newer toast of the same collapse key takes: it is owed to
the same target, and its turn has come, too. A step that is due later on stands for nothing yet, or
who publishes often enough would put it off for ever."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Say which deliveries are to be taken, each with whose it is, when, and until when for."""

    whose: Mapping[str, str]
    now: int
    until: int


@dataclass(frozen=True, slots=True)
class _Around:
    """What tells whether deliveries are still wanted: their toasts, devices, and newer toasts."""

    toasts: Mapping[str, RowMapping]
    devices: Mapping[str, Device]
    passed: frozenset[str]

    def device(self, row: RowMapping) -> Device | None:
        """Return where a delivery goes, if that is its user's and can be reached."""
        found = self.devices.get(row["target"])
        return found if found is not None and found.user_id == row["user_id"] else None


def claim(connection: Connection, claims: Sequence[Claim]) -> list[list[Delivery]]:
    """Take deliveries for each of several who look; nobody gets one that another has taken."""
    return [_take(connection, claim) for claim in claims]


def expire(connection: Connection, claims: Sequence[Claim]) -> list[list[Ended]]:
    """End deliveries whose time is over; return those that were not ended before."""
    return [_expire(connection, claim) for claim in claims]


def kept(until: int, connection: Connection, changed: Sequence[Delivery | Ended]) -> bool | None:
    """Tell whether a claim is in the database whose commit was not answered."""
    if not changed or isinstance(changed[0], Ended):
        return None
    first = select(_column.lease_until).where(_column.id == changed[0].id)
    return bool(connection.scalar(first) == until)


def over(now: int) -> ColumnElement[bool]:
    """Choose deliveries whose time is over and that nobody holds."""
    return (_column.next_attempt_at <= now) & (_column.expires_at <= now)


def changed(state: DeliveryState, answer: str | None = None) -> Update:
    """Return the change of a delivery that ends."""
    change = update(deliveries).values(state=state, next_attempt_at=None, lease_until=None)
    return change if answer is None else change.values(last_answer=answer)


def whose(user_id: str | None, id: str) -> str:
    """Return what is locked while a delivery is written."""
    return user_id or id


def _take(connection: Connection, claim: Claim) -> list[Delivery]:
    rows = _free(connection, claim)
    around = _around(connection, rows, claim.now)
    ends = {row["id"]: end for row in rows if (end := _end(row, around)) is not None}
    for id, (state, answer) in ends.items():
        connection.execute(changed(state, answer).where(_column.id == id))
    _conclude(connection, claim.now, [row for row in rows if row["id"] in ends])
    wanted = [row for row in rows if row["id"] not in ends]
    if wanted:
        own = update(deliveries).where(_column.id.in_([row["id"] for row in wanted]))
        lease = {"next_attempt_at": claim.until, "lease_until": claim.until}
        connection.execute(own.values(**lease, attempts=_column.attempts + 1))
    return sorted((_delivery(row, around) for row in wanted), key=_oldest)


def _expire(connection: Connection, claim: Claim) -> list[Ended]:
    rows = _free(connection, claim, over(claim.now))
    if rows:
        found = [row["id"] for row in rows]
        connection.execute(changed("expired").where(_column.id.in_(found)))
        _conclude(connection, claim.now, rows)
    return [_ended(row) for row in rows]


def _free(
    connection: Connection, claim: Claim, *wanted: ColumnElement[bool]
) -> Sequence[RowMapping]:
    # Looked at again, for another process may have taken them meanwhile. Rows that another
    # transaction holds are passed over, not waited for.
    due = _column.id.in_(claim.whose) & (_column.next_attempt_at <= claim.now)
    query = select(deliveries).where(due, *wanted).with_for_update(skip_locked=True)
    rows = connection.execute(query).mappings().all()
    # A rebind may have moved one to a user whose rows this transaction has not to itself.
    return [row for row in rows if claim.whose[row["id"]] == whose(row["user_id"], row["id"])]


def _around(connection: Connection, rows: Sequence[RowMapping], now: int) -> _Around:
    owed = {row["toast_id"] for row in rows if row["seq"] is not None}
    found = _TOAST.where(toasts.c.id.in_(owed))
    known = {row["id"]: row for row in connection.execute(found).mappings()} if owed else {}
    targets = {row["target"] for row in rows if row["kind"] in DEVICE_KINDS}
    registered = _DEVICE.where(devices.c.device_id.in_(targets), devices.c.push_token.is_not(None))
    there = connection.execute(registered).mappings() if targets else ()
    reachable = {row["device_id"]: Device(**row) for row in there}
    return _Around(known, reachable, _passed(connection, rows, known, now))


def _passed(
    connection: Connection, rows: Sequence[RowMapping], known: Mapping[str, RowMapping], now: int
) -> frozenset[str]:
    """Return which deliveries need not be carried, for a newer toast of the collapse key is owed.

    What was owed during an outage would ring one after the other as soon as it is over.
    """
    asked = [
        (row["id"], row["user_id"], toast["collapse_key"], row["seq"], row["kind"], row["target"])
        for row in rows
        if row["seq"] is not None
        and (toast := known.get(row["toast_id"])) is not None
        and toast["collapse_key"] is not None
    ]
    if not asked:
        return frozenset()
    found = run(connection, PASSED, (as_json(asked), now, now))
    return frozenset(id for (id,) in found)


def _end(row: RowMapping, around: _Around) -> tuple[DeliveryState, str] | None:
    """Return how a delivery ends that is not to be attempted."""
    if row["seq"] is not None and (why := _unwanted(row, around.toasts.get(row["toast_id"]))):
        return "dropped", why
    if row["id"] in around.passed:
        return "dropped", REPLACED
    if row["kind"] in DEVICE_KINDS and around.device(row) is None:
        return "dropped", NO_DEVICE
    if _payload(row) is None:
        # One row that nobody can read must not keep the others from being carried.
        return "failed", "its payload is no JSON object"
    return None


def _unwanted(row: RowMapping, toast: RowMapping | None) -> str | None:
    """Return why nobody wants what was owed for a toast."""
    if toast is None or toast["deleted_at"] is not None:
        return "deleted"
    elsewhere = toast["seq"] != row["seq"]
    if elsewhere or toast["replaced_by"] is not None or toast["state"] == "superseded":
        return REPLACED
    if toast["read_at"] is not None:
        return "read"
    if toast["seen_at"] is not None:
        return "seen"
    if toast["acked_at"] is not None and not row["despite_ack"]:
        return "acked"
    return None


def _conclude(connection: Connection, now: int, ended: Sequence[RowMapping]) -> None:
    conclude(connection, {row["toast_id"]: now for row in ended if row["seq"] is not None})


def _payload(row: RowMapping) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(row["payload"], type=dict[str, Any])
    except msgspec.MsgspecError:
        return None


def _delivery(row: RowMapping, around: _Around) -> Delivery:
    return Delivery(
        id=row["id"],
        kind=row["kind"],
        target=row["target"],
        payload=_payload(row) or {},
        created_at=ids.made_at(row["id"]) or 0,
        expires_at=row["expires_at"],
        user_id=row["user_id"],
        toast_id=row["toast_id"],
        attempts=row["attempts"],
        seq=row["seq"],
        device=around.device(row) if row["kind"] in DEVICE_KINDS else None,
    )


def _ended(row: RowMapping) -> Ended:
    delivery = _delivery(row, _Around({}, {}, frozenset()))
    return Ended(delivery=delivery, state="expired", answer=row["last_answer"] or "")


def _oldest(delivery: Delivery) -> tuple[int, str]:
    return delivery.created_at, delivery.id
