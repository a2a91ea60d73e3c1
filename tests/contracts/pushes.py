"""Words that tests of pushes share; what makes and settles them are fixtures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from toastkit.deliveries import Delivery, Owing
from toastkit.storage import Storage

LEASE_MS = 10_000
LIFE_MS = 3_600_000

Settle = Callable[..., None]


def claim(storage: Storage, *kinds: str) -> list[Delivery]:
    return storage.deliveries.claim(dict.fromkeys(kinds or ("apns",), 64), LEASE_MS)


def ends(storage: Storage, owing: Owing) -> list[tuple[str, str | None]]:
    """Return how what was owed for a toast has ended."""
    found = storage.inbox.facts(owing.toast_id)
    assert found is not None
    return [(each.state, each.last_answer) for each in found.deliveries]


def decided(row: Any, owing: Owing) -> tuple[str, str | None]:
    found = row(owing.toast_id)
    return found["state"], found["reason"]
