"""Tell whether this worker is ready."""

from __future__ import annotations

from flask import Response

from toastkit.errors import Unavailable

from ..bodies import answer
from ..door import Door
from ..state import current_kit

health = Door("toastkit_health")


@health.get("/health")
def ready() -> Response:
    """Answer 200 when requests can be served, 503 while they cannot."""
    kit = current_kit()
    if kit.node.closing:
        raise Unavailable("this worker is closing")
    # One read opens the database if nobody has yet, and proves that it answers.
    kit.toasts.list("health", 1)
    return answer({"status": "ok"})
