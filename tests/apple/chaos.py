"""Apple on a bad day: a share of all pushes goes wrong, each way that is known."""

from __future__ import annotations

import random

from tests.apple.answers import Answer, because
from tests.apple.request import Request

TRANSIENT = (
    because("InternalServerError"),
    because("ServiceUnavailable"),
    because("Shutdown"),
    because("TooManyRequests"),
    Answer(status=503, reason="ServiceUnavailable", retry_after="1"),
    Answer(way="reset"),
    Answer(way="goaway"),
)
"""The phone has not got it, and may get it later."""

LOST = (
    Answer(way="reset", taken=True),
    Answer(way="drop", taken=True),
)
"""The phone has got it, and nobody knows."""

FINAL = (
    because("Unregistered"),
    because("DeviceTokenNotForTopic"),
    because("BadDeviceToken"),
    because("PayloadTooLarge"),
)


class Chaos:
    """Decide by chance: of ``share`` one in ten is final, one in ten lost, the rest may be repeated.

    What is final for a push token stays final: a phone that is gone does not come back.
    """

    def __init__(self, seed: int, share: float) -> None:
        self._random = random.Random(seed)
        self._share = share
        self._final: dict[str, Answer] = {}

    def __call__(self, request: Request) -> Answer | None:
        if request.token in self._final:
            return self._final[request.token]
        if self._random.random() >= self._share:
            return None
        kind = self._random.random()
        if kind < 0.1:
            return self._final.setdefault(request.token, self._random.choice(FINAL))
        return self._random.choice(LOST if kind < 0.2 else TRANSIENT)
