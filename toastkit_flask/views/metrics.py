"""What was counted, for Prometheus (C9)."""

from __future__ import annotations

from flask import Response

from toastkit.errors import InvalidToken, MissingToken
from toastkit.metrics import TYPE

from ..door import Door
from ..guards import bearer
from ..metering import ensure_scraper
from ..operations import Operation
from ..policies import Policy
from ..state import state

metrics = Door("toastkit_metrics")


@metrics.get(
    "/api/metrics/prometheus",
    policy=Policy.OPEN,
    operation=Operation(
        "get_metrics", str, media="text/plain", errors=(MissingToken, InvalidToken)
    ),
)
def prometheus() -> Response:
    """Tell what was counted, as Prometheus reads it; who must show a secret is a setting."""
    ensure_scraper(bearer())
    here = state()
    told = b"" if here.metrics is None else here.metrics.text()
    return Response(told, content_type=TYPE, headers={"Cache-Control": "no-store"})
