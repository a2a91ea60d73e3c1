"""Say why a user did or did not see a toast, in words a support person understands."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from .. import ids
from ..clock import iso
from ..records import Facts, State
from .hints import Here, hints, timeline
from .verdict import Why, sentence, why


class Explanation(Struct, frozen=True, kw_only=True):
    """Say what became of one toast.

    ``verdict`` is one sentence for people, ``why`` the same as a word that stays; ``timeline``
    holds what is known to have happened, each with its time (ISO 8601), and ``hints`` what else
    whoever asks may want to know.
    """

    id: str
    user_id: str
    state: State
    why: Why
    verdict: str
    timeline: tuple[tuple[str, str], ...]
    hints: tuple[str, ...]


def explain(
    facts: Facts, here: Sequence[Here] | None, now: int, ack_timeout_ms: int
) -> Explanation:
    """Return what became of a toast; ``here`` is ``None`` in a process that serves nobody."""
    reason = why(facts, now, ack_timeout_ms)
    return Explanation(
        id=facts.id,
        user_id=facts.user_id,
        state=facts.state,
        why=reason,
        verdict=sentence(facts, reason),
        timeline=timeline(facts, now),
        hints=hints(facts, reason, here, now),
    )


def unknown(id: object) -> str:
    """Say why there may be no toast of an id."""
    if not ids.is_toast_id(id):
        return "that is no toast's id: one has 26 digits and capital letters"
    made = iso(ids.made_at(str(id)) or 0)
    return (
        f"there is no such toast: its id is of {made}, and either it is kept no longer, or its user "
        "was forgotten, or the transaction it was published in was rolled back or still goes on, or "
        "at its commit another toast had its dedupe key, which is known by its own id only"
    )
