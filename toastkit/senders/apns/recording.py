"""Keep the pushes that would have been sent: for tests, and for demos without a key."""

from __future__ import annotations

from msgspec import Struct

from ...clock import Clock, SystemClock
from ...deliveries import Delivery, Outcome, Refusal, Sent
from ...records import Environment
from ..recording import Recording
from .request import PushRequest, device_of, push_request
from .settings import PRODUCTION, SANDBOX

MOST = 200

_HOSTS: dict[Environment, str] = {"production": PRODUCTION, "sandbox": SANDBOX}


class Recorded(Struct, frozen=True):
    """Hold one push, for what, and when it would have been sent (milliseconds since the epoch)."""

    request: PushRequest
    delivery: Delivery
    at: int


class RecordingApns(Recording[Recorded]):
    """Take every push, and keep the newest ``most`` of them in ``posted`` as they would be sent."""

    kind = "apns"

    def __init__(self, clock: Clock | None = None, most: int = MOST) -> None:
        super().__init__(most)
        self._clock = clock or SystemClock()

    def post(self, delivery: Delivery) -> Outcome:
        """Keep a push; it counts as sent."""
        device = device_of(delivery)
        if isinstance(device, Refusal):
            return device
        request = push_request(delivery, device, _HOSTS[device.environment])
        self._keep(Recorded(request, delivery, self._clock.now()))
        return Sent("recorded")
