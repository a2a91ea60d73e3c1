"""Pushes of demo mode: recorded, or sent where Apple's key is given, and shown to their user."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from toastkit.clock import Clock, iso
from toastkit.deliveries import Delivery, Outcome, Refusal, StoredDelivery
from toastkit.records import Environment
from toastkit.senders.apns import ApnsSender, PushRequest, RecordingApns
from toastkit.senders.apns.request import device_of, push_request

log = logging.getLogger(__name__)

MOST = 200
TOKEN_SHOWN = 8
"""How many digits of a push token are shown: enough to tell two phones apart."""


class Shelf:
    """Keep the newest requests where every worker finds them: a file each, for this user alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, id: str, request: dict[str, Any]) -> None:
        """Keep the last request of a delivery."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        # Whole or not at all: another worker may be looking.
        beside = self._folder / f".{secrets.token_hex(8)}"
        beside.write_text(json.dumps(request), encoding="utf-8")
        beside.replace(self._folder / id)
        names = sorted(each.name for each in self._folder.glob("[!.]*"))
        for name in names[:-MOST]:
            (self._folder / name).unlink(missing_ok=True)

    def get(self, id: str) -> dict[str, Any] | None:
        """Return it; ``None``: nobody has kept one, or it is too old."""
        try:
            found: dict[str, Any] = json.loads((self._folder / id).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return found


class WatchedApns:
    """Send or record pushes, and put each on the shelf."""

    kind = "apns"

    def __init__(
        self,
        sender: ApnsSender | RecordingApns,
        host_of: Callable[[Environment], str],
        shelf: Shelf,
        clock: Clock,
    ) -> None:
        self._host_of = host_of
        self._sender = sender
        self._shelf = shelf
        self._clock = clock
        if isinstance(sender, ApnsSender):
            self.room = sender.room

    def post(self, delivery: Delivery) -> Outcome:
        """Make one attempt."""
        device = device_of(delivery)
        if not isinstance(device, Refusal):
            request = push_request(delivery, device, self._host_of(device.environment))
            try:
                self._shelf.put(delivery.id, _spelled(request, self._clock.now()))
            except OSError as error:
                log.warning("a push cannot be shown on the page: %s", error)
        return self._sender.post(delivery)

    def close(self) -> None:
        """Give the connection back."""
        if isinstance(self._sender, ApnsSender):
            self._sender.close()


def shown(deliveries: Iterable[StoredDelivery], shelf: Shelf) -> list[dict[str, Any]]:
    """Write deliveries with the last request that was, or would have been, made for each."""
    return [_push(each, shelf.get(each.id)) for each in deliveries]


def _push(delivery: StoredDelivery, kept: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "toast_id": delivery.toast_id,
        "device_id": delivery.target,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "last_answer": delivery.last_answer,
        "at": iso(delivery.created_at if kept is None else kept["at"]),
        "request": None if kept is None else kept["request"],
    }


def _spelled(request: PushRequest, at: int) -> dict[str, Any]:
    prefix, _, token = request.path.rpartition("/")
    said = {
        "method": "POST",
        "url": f"https://{request.host}{prefix}/{token[:TOKEN_SHOWN]}…",
        "headers": {"authorization": "bearer …", **dict(request.headers)},
        "body": json.loads(request.body),
    }
    return {"at": at, "request": said}
