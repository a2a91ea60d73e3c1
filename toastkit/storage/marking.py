"""Change toasts' states by compare-and-set: what comes too late changes nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection

from ..records import State, StateChange

FROM: dict[State, tuple[State, ...]] = {
    "written": ("accepted", "undelivered"),
    "acked": ("written",),
    "owed": ("accepted",),
    "sent": ("owed",),
    "failed": ("owed",),
    "undelivered": ("accepted",),
    "expired": ("accepted", "owed"),
    "superseded": ("accepted", "owed"),
}
"""From which states each state may be entered. ``accepted`` is never entered again; a replay is
what takes ``undelivered`` to ``written``."""

DELIVERED = frozenset({"written", "sent"})
"""States that mean the toast reached its user, or the provider of a push."""

RELEASED = frozenset({"undelivered", "failed", "expired"})
"""States that let go of the dedupe key: only delivered toasts count as the first of a pair."""

CLAIM = """
UPDATE toastkit_dedupe SET until = -until
WHERE user_id = ? AND key = ? AND toast_id = ? AND until * ? > 0
"""
"""Release a claim (last parameter 1), or take it back when a replay delivered after all (-1)."""

NEWEST = """
SELECT {0} FROM toastkit_toasts AS newer
WHERE newer.user_id = ? AND newer.collapse_key = ? AND newer.replaced_by IS NULL
  AND newer.delivered_at IS NOT NULL ORDER BY newer.seq DESC LIMIT 1
"""

COLLAPSE = f"""
UPDATE toastkit_toasts SET replaced_by = ({NEWEST.format("newer.id")})
WHERE user_id = ? AND collapse_key = ? AND replaced_by IS NULL
  AND seq < ({NEWEST.format("newer.seq")})
"""  # noqa: S608 - made of the text above

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class _Changed:
    """A toast whose state did change."""

    id: str
    user_id: str
    dedupe_key: str | None
    collapse_key: str | None


def mark(connection: Connection, members: Sequence[Sequence[StateChange]]) -> list[None]:
    """Carry out one group's state changes, in order for each toast."""
    for round_ in _rounds([change for member in members for change in member]):
        for state, changes in round_.items():
            changed = _set(connection, state, changes)
            _settle_claims(connection, state, changed)
            if state in DELIVERED:
                _collapse(connection, changed)
    return [None] * len(members)


def _rounds(changes: Sequence[StateChange]) -> list[dict[State, list[StateChange]]]:
    """Sort changes by state, so that no toast is twice in one statement.

    The first change of every toast is in the first round, its second in the second.
    """
    rounds: list[dict[State, list[StateChange]]] = []
    seen: Counter[str] = Counter()
    for change in changes:
        place = seen[change.id]
        seen[change.id] += 1
        if place == len(rounds):
            rounds.append(defaultdict(list))
        rounds[place][change.state].append(change)
    return rounds


def _set(connection: Connection, state: State, changes: list[StateChange]) -> list[_Changed]:
    wanted = [(change.id, change.user_id, change.at, change.transport) for change in changes]
    parameter = _encode(wanted).decode()
    return [_Changed(*row) for row in connection.exec_driver_sql(_SET[state], (parameter,))]


def _statement(state: State) -> str:
    delivered = ", delivered_at = COALESCE(delivered_at, wanted.at)" if state in DELIVERED else ""
    allowed = ", ".join(f"'{name}'" for name in FROM[state])
    return f"""
UPDATE toastkit_toasts SET state = '{state}', due_at = NULL, lease_until = NULL,
    transport = COALESCE(wanted.transport, toastkit_toasts.transport){delivered}
FROM (SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS user_id,
             json_extract(value, '$[2]') AS at, json_extract(value, '$[3]') AS transport
      FROM json_each(?)) AS wanted
WHERE toastkit_toasts.id = wanted.id AND toastkit_toasts.user_id = wanted.user_id
  AND toastkit_toasts.state IN ({allowed})
RETURNING id, user_id, dedupe_key, collapse_key
"""  # noqa: S608 - made of the words above


_SET = {state: _statement(state) for state in FROM}


def _settle_claims(connection: Connection, state: State, changed: list[_Changed]) -> None:
    sign = 1 if state in RELEASED else -1
    claims: list[Any] = [
        (toast.user_id, toast.dedupe_key, toast.id, sign)
        for toast in changed
        if toast.dedupe_key is not None
    ]
    if claims and (sign > 0 or state in DELIVERED):
        connection.exec_driver_sql(CLAIM, claims)


def _collapse(connection: Connection, changed: list[_Changed]) -> None:
    """Let the newest delivered toast of each collapse key replace all before it in the list."""
    keys = {(toast.user_id, toast.collapse_key) for toast in changed if toast.collapse_key}
    if keys:
        connection.exec_driver_sql(COLLAPSE, [key * 3 for key in sorted(keys)])
