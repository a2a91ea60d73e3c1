"""What a Redis backplane counts, for metrics and for whoever looks for a fault."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counts:
    """Hold numbers that only grow.

    ``dropped``: what came over a channel and did not belong there, by reason. ``late`` answers
    came when nobody waited any more, ``missed`` ones had not come by then. ``reconnects``: how
    often either connection was made again.
    """

    events: int = 0
    late: int = 0
    missed: int = 0
    reconnects: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
