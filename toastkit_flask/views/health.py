"""Tell whether this worker is ready."""

from __future__ import annotations

from flask import Response, current_app

from toastkit.errors import ConfigError, StorageUnavailable, Unavailable

from ..answers import Ready
from ..bodies import answer
from ..door import Door
from ..operations import Operation
from ..policies import Policy
from ..state import current_kit

health = Door("toastkit_health")


@health.get(
    "/health",
    policy=Policy.OPEN,
    operation=Operation("get_health", Ready, errors=(StorageUnavailable, Unavailable)),
)
def ready() -> Response:
    """Answer 200 when requests can be served, 503 while they cannot."""
    kit = current_kit()
    try:
        # One read opens the database if nobody has yet, and proves that it answers.
        kit.toasts.list("health", 1)
    except ConfigError as error:
        current_app.logger.warning("the storage cannot be opened: %s", error)
        raise Unavailable("the storage cannot be opened; the log says why") from None
    return answer(Ready("ok"))
