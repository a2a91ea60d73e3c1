"""Decide a toast whose last delivery has ended without being taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from ..receipts import Reason
from ..records import State, StateChange
from .marking import release
from .spelling import as_json, run

NO_DEVICE = "no device"
"""What the last answer of a delivery says whose device is gone."""

REPLACED = "replaced"
"""What it says where a newer toast stands for this one."""

ENDED = f"""
SELECT toasts.id, toasts.user_id, toasts.seq, toasts.created_at, toasts.expires_at,
    toasts.delivered_at, toasts.deleted_at,
    COALESCE(toasts.acked_at, toasts.read_at, toasts.seen_at) AS met_at,
    EXISTS (SELECT 1 FROM toastkit_deliveries AS tried
            WHERE tried.toast_id = toasts.id AND tried.seq = toasts.seq
              AND tried.state <> 'dropped'),
    EXISTS (SELECT 1 FROM toastkit_deliveries AS passed
            WHERE passed.toast_id = toasts.id AND passed.seq = toasts.seq
              AND passed.last_answer = '{REPLACED}')
FROM json_each(?) AS wanted
JOIN toastkit_toasts AS toasts ON toasts.id = wanted.value ->> 0
WHERE toasts.state = 'owed' AND NOT EXISTS (
    SELECT 1 FROM toastkit_deliveries AS open
    WHERE open.toast_id = toasts.id AND open.seq = toasts.seq AND open.next_attempt_at IS NOT NULL)
"""  # noqa: S608 - a word from above
"""Of these toasts, those that are owed and of which nothing waits any more."""


def conclude(connection: Connection, toasts: Mapping[str, int]) -> None:
    """Decide those of the toasts whose last delivery has ended, each at its time.

    Part of the transaction that ended it, so that nothing is ever left owed of which nothing
    waits. By the toast alone, not by who says so: it bears a repeat.
    """
    if toasts:
        asked = as_json([(id,) for id in toasts])
        found = list(run(connection, ENDED, (asked,)))
        release(connection, [_change(row, toasts[row[0]]) for row in found])


def _change(row: Any, now: int) -> StateChange:
    id, user_id, seq, created_at, expires_at, delivered_at, deleted_at, met_at, *ends = row
    tried, passed = ends

    def change(state: State, reason: Reason | str | None = None, at: int = now) -> StateChange:
        return StateChange(id, user_id, state, at, reason=reason, seq=seq)

    if met_at is not None:
        return change("acked", at=met_at)
    if delivered_at is not None:  # on a socket: only its ack was overdue
        return change("written")
    if deleted_at is not None:
        return change("superseded", "deleted")
    if expires_at is not None and created_at != expires_at <= now:
        return change("expired", "expired")
    if tried:
        return change("failed", "provider_error")
    # It stays in the list until the newer one is delivered, which may never be.
    return change("undelivered", "superseded" if passed else "no_device")
