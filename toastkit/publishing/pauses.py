"""How long to wait before the next attempt."""

from __future__ import annotations

import math

FIRST_SECONDS, MOST_SECONDS = 2.0, 600.0
"""The longest pause after a first attempt, and after any."""


def pause_seconds(attempts: int, named: object, chance: float) -> float:
    """Return how long to pause after an attempt, where ``attempts`` were made before it.

    Somewhere between nothing and a length that doubles, so that what failed together does not come
    back together. What the other side ``named`` is kept to, and little more than that.
    """
    seconds = named_seconds(named)
    if seconds is not None:
        return seconds + chance * max(FIRST_SECONDS, seconds / 10)
    return chance * min(MOST_SECONDS, FIRST_SECONDS * 2.0 ** min(attempts, 30))


def named_seconds(named: object) -> float | None:
    """Return the seconds the other side named, or ``None`` where that is no time to wait."""
    try:
        seconds = float(named)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) and seconds > 0 else None
