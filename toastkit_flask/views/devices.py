"""Register the devices a push may go to (A11-A13)."""

from __future__ import annotations

from flask import Response

from toastkit.dialects import read_body

from ..bodies import Registration, answer, read_raw
from ..door import Door
from ..guards import current_principal
from ..policies import Policy
from ..state import current_kit

devices = Door("toastkit_devices")


@devices.post("/v1/devices/register-toast", policy=Policy.PRINCIPAL, rate="register")
def register() -> Response:
    """Register or refresh a device."""
    kit, who = current_kit(), current_principal()
    body = read_body(read_raw(kit.config), Registration)
    device = kit.devices.register(who.user_id, body.device_id, body.bundle_id, body.apns)
    # Nothing carries pushes yet, so none is promised.
    written = {"registered": True, "device_id": device.device_id, "apns_fallback_enabled": False}
    return answer(written)
