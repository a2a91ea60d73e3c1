"""Pushes of demo mode: recorded, sent too where Apple's key is given, and shown to their user."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable
from typing import Any

from toastkit.clock import Clock, iso
from toastkit.deliveries import Delivery, Outcome, StoredDelivery
from toastkit.senders.apns import ApnsSender, ApnsSettings, PushRequest, Recorded
from toastkit.senders.apns.request import push_request

MOST = 200
TOKEN_SHOWN = 8
"""How many digits of a push token are shown: enough to tell two phones apart."""


class WatchedApns:
    """Send pushes, and keep the newest of them in ``posted``, as ``RecordingApns`` does."""

    kind = "apns"

    def __init__(self, settings: ApnsSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._sender = ApnsSender(settings, clock)
        self.room = self._sender.room
        self.posted: deque[Recorded] = deque(maxlen=MOST)

    def post(self, delivery: Delivery) -> Outcome:
        """Make one attempt."""
        device = delivery.device
        if device is not None and device.push_token is not None:
            request = push_request(delivery, device, self._settings.host_of(device.environment))
            self.posted.append(Recorded(request, delivery, self._clock.now()))
        return self._sender.post(delivery)

    def close(self) -> None:
        """Give the connection back."""
        self._sender.close()


def shown(deliveries: Iterable[StoredDelivery], posted: Iterable[Recorded]) -> list[dict[str, Any]]:
    """Write deliveries with the last request that was, or would have been, made for each.

    What was posted before this process began is not known any more.
    """
    # A copy: meanwhile a push may be posted from another thread.
    last = {each.delivery.id: each for each in tuple(posted)}
    return [_push(each, last.get(each.id)) for each in deliveries]


def _push(delivery: StoredDelivery, recorded: Recorded | None) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "toast_id": delivery.toast_id,
        "device_id": delivery.target,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "last_answer": delivery.last_answer,
        "at": iso(delivery.created_at if recorded is None else recorded.at),
        "request": None if recorded is None else _request(recorded.request),
    }


def _request(request: PushRequest) -> dict[str, Any]:
    prefix, _, token = request.path.rpartition("/")
    return {
        "method": "POST",
        "url": f"https://{request.host}{prefix}/{token[:TOKEN_SHOWN]}…",
        "headers": {"authorization": "bearer …", **dict(request.headers)},
        "body": json.loads(request.body),
    }
