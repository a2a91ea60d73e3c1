"""Keep what pushes teach about devices, as long as the push token is the one that was tried."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, Update, exists, func, update

from ..deliveries import Carried, Gone, Refusal, Sent
from ..records import Device
from .tables import devices

FRESH_MS = 3_600_000
"""A push that is taken is noted once an hour."""

SUSPECT = 3
"""Refusals after which a push token is forgotten, if others of its kind are taken meanwhile."""

_column = devices.c
_FORGOTTEN = {"push_token": None, "refused": 0, "refused_at": None}


def teaches(carried: Carried, now: int) -> bool:
    """Tell whether an attempt says anything about its device that is worth a write."""
    device = carried.delivery.device
    if device is None:
        return False
    match carried.outcome:
        case Sent(environment=environment):
            fresh = device.taken_at is not None and now - device.taken_at < FRESH_MS
            return (
                bool(device.refused) or not fresh or environment not in (None, device.environment)
            )
        case Refusal(suspect=suspect):
            return suspect
        case Gone():
            return True
    return False


def learn(connection: Connection, attempts: Sequence[tuple[Carried, int]]) -> None:
    """Write down what attempts taught, each at its time."""
    for carried, now in attempts:
        device = carried.delivery.device
        if device is not None and teaches(carried, now):
            connection.execute(_lesson(carried, device, now))
            if isinstance(carried.outcome, Refusal):
                connection.execute(_forget_suspect(device))


def _lesson(carried: Carried, device: Device, now: int) -> Update:
    change = update(devices).where(_tried(device))
    match carried.outcome:
        case Sent(environment=environment):
            found = {"environment": environment} if environment is not None else {}
            return change.values(taken_at=now, refused=0, refused_at=None, **found)
        case Gone(since=since):
            # Registered again since then, the token is alive whatever was said of it.
            old = () if since is None else (_column.registered_at <= since,)
            return change.where(*old).values(_FORGOTTEN)
    first = func.coalesce(_column.refused_at, now)
    return change.values(refused=_column.refused + 1, refused_at=first)


def _forget_suspect(device: Device) -> Update:
    """Forget a token that was refused again and again while others were taken.

    Never for that alone: a certificate of the wrong world has every token refused.
    """
    other = devices.alias("other")
    taken = exists().where(
        other.c.bundle_id == _column.bundle_id,
        other.c.environment == _column.environment,
        other.c.taken_at > _column.refused_at,
        other.c.device_id != _column.device_id,
    )
    return (
        update(devices).where(_tried(device), _column.refused >= SUSPECT, taken).values(_FORGOTTEN)
    )


def _tried(device: Device) -> ColumnElement[bool]:
    return (_column.device_id == device.device_id) & (_column.push_token == device.push_token)
