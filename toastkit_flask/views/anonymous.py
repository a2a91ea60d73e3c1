"""Anonymous sessions, and what becomes of them at a sign-in (B7-B15)."""

from __future__ import annotations

from flask import Response
from msgspec.structs import asdict

from toastkit import ids
from toastkit.dialects import read_body
from toastkit.identity.anonymous import read_device_id

from ..bodies import OfDevice, answer, read_raw
from ..door import Door
from ..guards import current_principal, limit
from ..policies import Policy
from ..state import current_kit

anonymous = Door("toastkit_anonymous")


@anonymous.post("/auth/anonymous", policy=Policy.OPEN, rate="anonymous")
def begin() -> Response:
    """Open a session of a device, without any sign-in."""
    kit = current_kit()
    body = read_body(read_raw(kit.config) or b"{}", OfDevice)
    limit("device", ids.token_hash(read_device_id(body.device_id)))
    token, _, secret = kit.identity.anonymous.begin(body.device_id, body.device_secret)
    written = {"token": token, "expires_in": kit.config.session_seconds}
    return answer(written if secret is None else {**written, "device_secret": secret})


@anonymous.post("/auth/rebind", policy=Policy.USER, rate="rebind")
def rebind() -> Response:
    """Make everything of a device's anonymous principal the user's who asks."""
    kit, who = current_kit(), current_principal()
    body = read_body(read_raw(kit.config) or b"{}", OfDevice)
    done = kit.identity.anonymous.rebind(who.user_id, body.device_id, body.device_secret)
    return answer(asdict(done))
