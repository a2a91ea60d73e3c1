"""Devices: which handset of a principal, and where a push would reach it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Protocol

from .. import ids, principals, texts
from ..clock import Clock
from ..config import Config
from ..deliveries import DEVICE_KINDS, read_steps
from ..errors import ConfigError, Invalid, UnknownDevice
from ..records import Device, Environment

MAX_DEVICE_ID = 200
_BUNDLE = re.compile(r"(?=.{1,155}\Z)[A-Za-z0-9\-]+(\.[A-Za-z0-9\-]+)*")
_PUSH_TOKEN = re.compile(r"[0-9A-Fa-f]{64,200}")
_ENVIRONMENTS: Mapping[str, Environment] = {
    "production": "production",
    "sandbox": "sandbox",
    "development": "sandbox",
}


class DeviceRepository(Protocol):
    """Keep devices by principal and device id; one owner per push token."""

    def register(self, device: Device, most: int) -> None:
        """Keep a device, and take its id and push token from whoever had them.

        Of more than ``most`` devices of its user those go that were registered longest ago.
        """

    def of(self, user_id: str) -> list[Device]:
        """Return every device of a principal."""

    def remove(self, user_id: str, device_id: str) -> bool:
        """Forget a device of a principal; tell whether there was one."""


class Devices:
    """Register, list and remove devices (A11-A13, A.27).

    ``kinds`` names the kinds of deliveries that there is a sender for.

    Raises:
        ConfigError: the default bundle id is none.
    """

    def __init__(
        self,
        repository: DeviceRepository,
        config: Config,
        clock: Clock,
        kinds: Collection[str] = (),
    ) -> None:
        if not _BUNDLE.fullmatch(config.default_bundle_id):
            raise ConfigError(f"default_bundle_id: {config.default_bundle_id!r} is no bundle id")
        self._repository = repository
        self._config = config
        self._clock = clock
        self._steps = DEVICE_KINDS & {step.kind for step in read_steps(config.fallback)}
        self._kinds = kinds

    def register(
        self, user_id: object, device_id: object, bundle_id: object, apns: Mapping[str, Any] | None
    ) -> Device:
        """Register or refresh a device, and return it.

        A device id or push token of somebody else moves to this user: the phone has changed
        hands, and its former owner must not read on.

        Raises:
            Invalid: the first field that is missing or wrong.
            StorageUnavailable: it could not be kept.
        """
        owner = principals.user_id(user_id)
        push_token, environment = _push_target(apns)
        device = Device(
            user_id=owner,
            device_id=check_device_id(device_id, owner),
            bundle_id=check_bundle_id(bundle_id, self._config.default_bundle_id),
            push_token=push_token,
            environment=environment,
            registered_at=self._clock.now(),
        )
        self._repository.register(device, self._config.devices_per_user)
        return device

    def of(self, user_id: object) -> list[Device]:
        """Return every device of a principal.

        Raises:
            Invalid: that is no user id.
            StorageUnavailable: the database cannot be read.
        """
        return self._repository.of(principals.user_id(user_id))

    def remove(self, user_id: object, device_id: str) -> None:
        """Forget a device of a principal; nothing is pushed to it any more.

        Raises:
            Invalid: that is no user id.
            UnknownDevice: this principal has no device of that id.
            StorageUnavailable: nothing was changed.
        """
        owner = principals.user_id(user_id)
        # What no database could hold is not worth asking one; some refuse to be asked.
        if not device_id.isprintable() or not self._repository.remove(owner, device_id):
            raise UnknownDevice

    def pushes(self, device: Device) -> bool:
        """Tell whether a push could be sent to a device (A13).

        It has a push token, and the fallback has a step for devices that somebody can post.
        """
        return device.push_token is not None and any(kind in self._kinds for kind in self._steps)


def check_device_id(value: object, user_id: str) -> str:
    """Check a device id a client names: 1 to 200 printable characters, and no path.

    The ids made for clients that name none (``clerk:<user>``, ``anon:<hash>``) are reserved: one
    could otherwise take over the default device of another user (A.27).

    Raises:
        Invalid: the value is not a device id of this user.
    """
    if value is None or value == "":
        raise Invalid("device_id required", ("device_id",), "missing")
    if not isinstance(value, str):
        raise Invalid("device_id must be a string", ("device_id",), "type")
    if value == ids.default_device_id(user_id):
        return value  # of a long user id it is longer than what a client may make up
    if len(value) > MAX_DEVICE_ID or not value.isprintable() or value.isspace():
        text = f"device_id must be 1-{MAX_DEVICE_ID} printable chars"
        raise Invalid(text, ("device_id",), "length")
    if len(texts.parts(value)) > 1 or texts.climbs(value) or not texts.plain(value):
        # It is told in paths: to us, to remove it, and to whoever looks after the devices.
        text = "device_id must not be a path (/, \\, . or ..), also not an encoded one"
        raise Invalid(text, ("device_id",), "characters")
    if value.startswith(("clerk:", "anon:")):
        raise Invalid("device_id belongs to another user", ("device_id",), "owner")
    return value


def check_bundle_id(value: object, default: str) -> str:
    """Check a bundle id: words of letters, digits and hyphens, joined by dots.

    ``None`` means the default (A4).

    Raises:
        Invalid: the value is not a bundle id.
    """
    if value is None:
        return default
    if not isinstance(value, str) or not _BUNDLE.fullmatch(value):
        text = "bundle_id must be 1-155 letters, digits and hyphens, joined by dots"
        raise Invalid(text, ("bundle_id",), "characters")
    return value


def _push_target(apns: Mapping[str, Any] | None) -> tuple[str | None, Environment]:
    # `device_token` and `development` are what the sibling page of the same product calls them.
    if apns is None:
        return None, "production"
    given = [apns[name] for name in ("token", "device_token") if apns.get(name) is not None]
    token = given[0] if given else None
    if given[1:] not in ([], [token]):
        raise Invalid("apns.token and apns.device_token differ", ("apns", "token"))
    if token is None:
        raise Invalid("apns.token required", ("apns", "token"), "missing")
    if not isinstance(token, str) or not _PUSH_TOKEN.fullmatch(token):
        raise Invalid("apns.token must be 64-200 hex digits", ("apns", "token"), "characters")
    return token.lower(), _environment(apns.get("environment"))


def _environment(value: object) -> Environment:
    if value is None:
        return "production"
    if not isinstance(value, str) or value not in _ENVIRONMENTS:
        text = f"apns.environment must be one of {', '.join(_ENVIRONMENTS)}"
        raise Invalid(text, ("apns", "environment"))
    return _ENVIRONMENTS[value]
