"""Change toasts' states by compare-and-set: what comes too late changes nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ..records import DELIVERED, State, StateChange
from .spelling import as_json, run

FROM: dict[State, tuple[State, ...]] = {
    "written": ("accepted", "undelivered", "failed"),
    "acked": ("accepted", "written", "undelivered", "failed", "owed"),
    "owed": ("accepted", "written"),
    "sent": ("owed", "undelivered", "failed", "expired", "superseded"),
    "failed": ("owed",),
    "undelivered": ("accepted",),
    "expired": ("accepted", "owed"),
    "superseded": ("accepted", "owed"),
}
"""From which states each state may be entered. ``accepted`` is never entered again; a replay is
what takes ``undelivered`` to ``written``, and an ack may overtake the mark of its own delivery.
``acked`` is entered from ``owed`` only while nobody is at a push; what was sent was sent, however
late that is told. Where the last delivery of an ``owed`` toast ends, ``release`` knows the ways."""

RELEASED = frozenset({"undelivered", "failed", "expired"})
"""States that let go of the dedupe key: only delivered toasts count as the first of a pair."""

SETTLE = """
UPDATE toastkit_dedupe SET until = -until
WHERE user_id = ? AND key = ? AND toast_id = ? AND until * ? > 0
"""
"""Release a claim (last parameter 1), or take it back when a replay delivered after all (-1)."""

NEWEST = """
SELECT {0} FROM toastkit_toasts AS newer
WHERE newer.user_id = ? AND newer.collapse_key = ? AND newer.replaced_by IS NULL
  AND newer.delivered_at IS NOT NULL ORDER BY newer.seq DESC LIMIT 1
"""

DECIDED = """
    reason = CASE WHEN state IN ('accepted', 'owed') THEN 'superseded' ELSE reason END,
    due_at = CASE WHEN state IN ('accepted', 'owed') THEN NULL ELSE due_at END,
    lease_until = CASE WHEN state IN ('accepted', 'owed') THEN NULL ELSE lease_until END,
    state = CASE WHEN state IN ('accepted', 'owed') THEN 'superseded' ELSE state END
"""
"""Set what else changes of a toast that is replaced. What is undecided is decided by that: shown
later, it would take the place of the newer on the screen."""

COLLAPSE = f"""
UPDATE toastkit_toasts SET replaced_by = ({NEWEST.format("newer.id")}), {DECIDED}
WHERE user_id = ? AND collapse_key = ? AND replaced_by IS NULL
  AND seq < ({NEWEST.format("newer.seq")})
"""  # noqa: S608 - made of the text above
"""Replace what is older."""

WANTED = """
FROM (SELECT value ->> 0 AS id, value ->> 1 AS user_id, CAST(value ->> 2 AS BIGINT) AS at,
             value ->> 3 AS transport, CAST(value ->> 4 AS BIGINT) AS due_at,
             value ->> 5 AS reason, CAST(value ->> 6 AS INTEGER) AS session_count,
             CAST(value ->> 7 AS BIGINT) AS seq
      FROM json_each(?)) AS wanted
WHERE toastkit_toasts.id = wanted.id AND toastkit_toasts.user_id = wanted.user_id
  AND toastkit_toasts.seq = COALESCE(wanted.seq, toastkit_toasts.seq)
"""
"""Choose the toasts of changes."""

AT_REST = """
toastkit_toasts.state = 'owed' AND NOT EXISTS (
    SELECT 1 FROM toastkit_deliveries AS going
    WHERE going.toast_id = toastkit_toasts.id AND going.lease_until IS NOT NULL)
"""
"""Choose what is owed and nobody is at. A lease that ran out counts, too: whoever held it may have
posted, or still be posting, without having told."""

NOTE = f"""
UPDATE toastkit_toasts SET acked_at = COALESCE(acked_at, wanted.at)
{WANTED} AND toastkit_toasts.state IN ('owed', 'sent')
"""  # noqa: S608 - made of the text above
"""Note an ack that a push has overtaken, or that comes while somebody is at one."""


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
            changed = _set(connection, _SET[state], changes)
            if state == "acked" and len(changed) < len(changes):
                run(connection, NOTE, (_json(changes),))
            _follow(connection, state, changed)
    return [None] * len(members)


def release(connection: Connection, changes: Sequence[StateChange]) -> None:
    """Take toasts of which nothing waits any more from ``owed`` to where they end."""
    for round_ in _rounds(changes):
        for state, some in round_.items():
            _follow(connection, state, _set(connection, _RELEASE[state], some))


def _follow(connection: Connection, state: State, changed: list[_Changed]) -> None:
    _settle_claims(connection, state, changed)
    if state in DELIVERED:
        _collapse(connection, changed)


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


def _set(connection: Connection, text: str, changes: Sequence[StateChange]) -> list[_Changed]:
    return [_Changed(*row) for row in run(connection, text, (_json(changes),))]


def _json(changes: Sequence[StateChange]) -> str:
    return as_json([_wanted(change) for change in changes])


def _wanted(change: StateChange) -> tuple[Any, ...]:
    return (
        *(change.id, change.user_id, change.at, change.transport),
        *(change.due_at, change.reason, change.session_count, change.seq),
    )


def _statement(state: State, allowed: str, also: str = "") -> str:
    if state in DELIVERED:
        also += ", delivered_at = COALESCE(delivered_at, wanted.at)"
    kept = "COALESCE(wanted.reason, toastkit_toasts.reason)"
    if state == "sent":
        # A push that was taken after all leaves no reason why nobody was shown it.
        kept = "CASE toastkit_toasts.reason WHEN 'rebound' THEN 'rebound' END"
    return f"""
UPDATE toastkit_toasts SET state = '{state}', due_at = wanted.due_at, lease_until = NULL,
    transport = COALESCE(wanted.transport, toastkit_toasts.transport), reason = {kept},
    session_count = COALESCE(wanted.session_count, toastkit_toasts.session_count){also}
{WANTED} AND ({allowed})
RETURNING toastkit_toasts.id, toastkit_toasts.user_id, dedupe_key, collapse_key
"""  # noqa: S608 - made of the words above


def _allowed(state: State) -> str:
    names = ", ".join(f"'{name}'" for name in FROM[state] if (state, name) != ("acked", "owed"))
    allowed = f"toastkit_toasts.state IN ({names})"
    return f"{allowed} OR {AT_REST}" if state == "acked" else allowed


_ACKED = ", acked_at = COALESCE(acked_at, wanted.at)"
_SET = {
    state: _statement(state, _allowed(state), _ACKED if state == "acked" else "") for state in FROM
}
_RELEASE = {
    state: _statement(state, "toastkit_toasts.state = 'owed'")
    for state in ("acked", "written", "superseded", "expired", "failed", "undelivered")
}


def _settle_claims(connection: Connection, state: State, changed: list[_Changed]) -> None:
    sign = 1 if state in RELEASED else -1
    claims: list[Any] = [
        (toast.user_id, toast.dedupe_key, toast.id, sign)
        for toast in changed
        if toast.dedupe_key is not None
    ]
    if claims and (sign > 0 or state in DELIVERED):
        run(connection, SETTLE, claims)


def _collapse(connection: Connection, changed: list[_Changed]) -> None:
    """Let the newest delivered toast of each collapse key replace all before it in the list."""
    keys = {(toast.user_id, toast.collapse_key) for toast in changed if toast.collapse_key}
    if keys:
        run(connection, COLLAPSE, [key * 3 for key in sorted(keys)])
