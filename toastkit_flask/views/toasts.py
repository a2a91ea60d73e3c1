"""Publish toasts, and list them (A14-A20)."""

from __future__ import annotations

from flask import Response
from msgspec.structs import asdict

from toastkit.dialects import read_publish, toast_item

from ..bodies import answer, read_flag, read_limit, read_raw
from ..door import Door
from ..guards import address, bearer, identify, limit
from ..state import current_kit

toasts = Door("toastkit_toasts")


@toasts.post("/v1/toasts/publish")
def publish() -> Response:
    """Publish a toast to one user; checks run 503, 401, 429, 422."""
    kit = current_kit()
    limit("publish", kit.authenticator.ensure_publisher(bearer()), address())
    wanted = read_publish(read_raw(kit.config))
    response = answer(kit.publish_toast(**asdict(wanted)), 202)
    # A publisher that keeps its connection busy would otherwise never let go of the worker.
    response.call_on_close(kit.node.runtime.breathe)
    return response


@toasts.get("/v1/toasts")
def recent() -> Response:
    """List the newest toasts of whoever asks."""
    kit, who = current_kit(), identify()
    limit("list", who.user_id)
    collapsed = read_flag("include_collapsed")
    page = kit.toasts.list(who.user_id, read_limit(), include_collapsed=collapsed)
    return answer({"items": [toast_item(toast) for toast in page]})
