"""Tell whether this worker is ready."""

from __future__ import annotations

from flask import Response, current_app
from msgspec import UNSET

from toastkit.errors import ConfigError, StorageUnavailable, Unavailable
from toastkit.health import look

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
    """Answer 200 while toasts can be accepted, with what is degraded; 503 while they cannot."""
    try:
        degraded = look(current_kit())
    except ConfigError as error:
        current_app.logger.warning("the storage cannot be opened: %s", error)
        raise Unavailable("the storage cannot be opened; the log says why") from None
    return answer(Ready("ok", degraded or UNSET))
