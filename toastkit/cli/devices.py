"""The devices of a user, and whether they can be pushed to."""

from __future__ import annotations

from typing import Any

import click
from msgspec.structs import asdict

from ..clock import iso
from ..current import current_kit
from ..dialects import device_item
from ..identity import Devices
from ..principals import user_id
from ..records import Device
from .words import as_json, columns, examples, say, say_json, shown, told


@click.command(epilog=examples("toastkit devices ada", "toastkit devices ada --remove phone"))
@click.argument("user")
@click.option(
    "--remove", metavar="ID", help="Remove this device; nothing is pushed to it any more."
)
@as_json
@told
def devices(user: str, remove: str | None, as_json: bool) -> None:
    """Show the devices of USER.

    And whether they can be pushed to. Never their push tokens. Exits with 1 when the device to be
    removed is not there.
    """
    of, name = current_kit().devices, user_id(user, "USER")
    if remove is not None:
        of.remove(name, remove)
        answer = {"removed": True, "device_id": remove}
        if as_json:
            say_json(answer)
        else:
            say(f"removed {shown(remove)} of {name}")
        return
    found = of.of(name)
    if as_json:
        say_json({"items": [_item(device, of) for device in found]})
    else:
        say(columns(_row(device, of) for device in found) or f"{name} has no device")


def _item(device: Device, of: Devices) -> dict[str, Any]:
    taken_at = None if device.taken_at is None else iso(device.taken_at)
    return {
        **asdict(device_item(device, of.pushes(device))),
        "taken_at": taken_at,
        "refused": device.refused,
    }


def _row(device: Device, of: Devices) -> tuple[str, ...]:
    return (
        device.device_id,
        device.bundle_id,
        device.environment,
        f"registered {iso(device.registered_at)}",
        _told(device, of),
    )


def _told(device: Device, of: Devices) -> str:
    if device.push_token is None:
        return "no push token"
    words = ["can be pushed to" if of.pushes(device) else "this app sends no pushes"]
    if device.taken_at is not None:
        words.append(f"taken at {iso(device.taken_at)}")
    if device.refused:
        often = "once" if device.refused == 1 else f"{device.refused} times"
        words.append(f"refused {often} since")
    return ", ".join(words)
