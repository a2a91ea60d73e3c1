"""Register the devices a push may go to, list and remove them (A11-A13, A.27)."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from msgspec import Meta

from toastkit.dialects import DevicePage, device_page, read_body
from toastkit.dialects.shapes import DeviceId
from toastkit.errors import UnknownDevice

from ..answers import Registered, Removed
from ..bodies import Registration, answer, read_raw
from ..door import Door
from ..guards import current_principal
from ..operations import Operation
from ..policies import Policy
from ..state import current_kit

devices = Door("toastkit_devices")


_NAMED = {"required": ["device_id"], "properties": {"device_id": {"type": "string"}}}
_DEVICE = Annotated[Registration, Meta(extra_json_schema=_NAMED)]


@devices.post(
    "/v1/devices/register-toast",
    policy=Policy.PRINCIPAL,
    rate="register",
    operation=Operation("register_device", Registered, body=_DEVICE),
)
def register() -> Response:
    """Register or refresh a device."""
    kit, who = current_kit(), current_principal()
    body = read_body(read_raw(kit.config), Registration)
    device = kit.devices.register(who.user_id, body.device_id, body.bundle_id, body.apns)
    pushed_to = kit.devices.pushes(device)
    return answer(Registered(True, device.device_id, pushed_to))


@devices.get(
    "/v1/devices",
    policy=Policy.PRINCIPAL,
    rate="inbox",
    operation=Operation("list_devices", DevicePage),
)
def every() -> Response:
    """List the devices of whoever asks."""
    kit, who = current_kit(), current_principal()
    return answer(device_page(kit.devices.of(who.user_id), kit.devices.pushes))


# The id of a client that names none holds the user's, which may hold a slash.
@devices.delete(
    "/v1/devices/<path:device_id>",
    policy=Policy.PRINCIPAL,
    rate="inbox",
    operation=Operation(
        "remove_device", Removed, path={"device_id": DeviceId}, errors=(UnknownDevice,)
    ),
)
def remove(device_id: str) -> Response:
    """Remove a device of whoever asks."""
    current_kit().devices.remove(current_principal().user_id, device_id)
    return answer(Removed(True, device_id))
