"""Redis, which this version does not use."""

from __future__ import annotations

from collections.abc import Iterator

from .findings import Finding, info, warn
from .patient import Facts
from .settings import REDIS

NAME = "redis"


def check(facts: Facts) -> Iterator[Finding]:
    """Say of a URL that is set that it does nothing yet."""
    remedy = "run one worker; several need a backplane that they share, which comes later"
    for place, said in facts.patient.said.items():
        if REDIS in said:
            yield warn(NAME, f"{REDIS} in {place} does nothing in this version", remedy)
    if "REDIS_URL" in facts.patient.environ:
        yield info(NAME, "REDIS_URL is set; toastkit does not use Redis in this version", remedy)
