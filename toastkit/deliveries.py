"""What is owed to the outside world, and what became of an attempt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from .errors import ConfigError
from .records import DeliveryState as DeliveryState  # noqa: PLC0414 - one of these words, too
from .records import Device, Environment
from .records import StoredDelivery as StoredDelivery  # noqa: PLC0414

DEVICE_KINDS = frozenset({"apns"})
"""Kinds of which one delivery is owed for each device with a push token; of others one a user."""


class Delivery(Struct, frozen=True, kw_only=True):
    """One message owed to the outside: a push, an e-mail, a call to another service.

    ``kind`` chooses the sender that posts it, ``target`` is whom it goes to in that sender's words,
    ``payload`` is JSON; of a fallback it holds the ``toast``. ``attempts`` counts those made so
    far. Times are milliseconds since the epoch; after ``expires_at`` it is not tried any more.
    ``id`` is of ``ids.delivery_id``, ``seq`` the position the toast had when it was owed.
    ``device`` is where a push goes, as it was registered when this attempt began.
    """

    id: str
    kind: str
    target: str
    payload: dict[str, Any]
    created_at: int
    expires_at: int
    user_id: str | None = None
    toast_id: str | None = None
    attempts: int = 0
    seq: int | None = None
    device: Device | None = None


class Sent(Struct, frozen=True):
    """The other side took it; ``answer`` is kept for whoever asks later.

    ``environment`` is where a device turned out to be, if that differs from what it said.
    """

    answer: str = ""
    environment: Environment | None = None


class Refusal(Struct, frozen=True):
    """It will never be taken; ``answer`` says why.

    ``suspect``: it is the device's push token that was refused, which may be no fault of the
    device.
    """

    answer: str
    suspect: bool = False


class Gone(Struct, frozen=True):
    """Nobody is there any more: the push token is forgotten.

    Unless it was registered again after ``since`` (milliseconds since the epoch; ``None``: now).
    """

    answer: str
    since: int | None = None


class Later(Struct, frozen=True):
    """It may be taken later: after ``seconds`` if the other side named them.

    ``away``: the whole other side is, not this target alone; until it answers again, one attempt is
    made at a time.
    """

    answer: str
    seconds: float | None = None
    away: bool = False


Outcome = Sent | Refusal | Gone | Later


class Carried(Struct, frozen=True, kw_only=True):
    """Say what became of one attempt: the state a delivery goes to, and when it is tried again."""

    delivery: Delivery
    outcome: Outcome
    state: DeliveryState
    answer: str
    next_attempt_at: int | None = None


class Ended(Struct, frozen=True, kw_only=True):
    """Say how a delivery has ended: ``sent``, ``failed``, or ``expired``; ``answer`` is the last one."""

    delivery: Delivery
    state: DeliveryState
    answer: str


class Step(Struct, frozen=True):
    """One step of the fallback: a kind of delivery, tried ``after_ms`` if the toast is unread."""

    kind: str
    after_ms: int = 0


class Due(Struct, frozen=True, kw_only=True):
    """Say what a step owes for one toast, and from when until when it is tried.

    ``despite_ack``: dropped when the toast was read, seen or deleted meanwhile, but not because a
    client has confirmed that it has it.
    """

    kind: str
    at: int
    expires_at: int
    despite_ack: bool = False


class Owing(Struct, frozen=True, kw_only=True):
    """One toast that nobody was there for, and what is owed for it; ``at`` is now.

    ``payload`` is that of every delivery. ``gated``: it was written, but its ack is overdue; with
    nothing owed it goes on being written, and is not looked at again.
    """

    toast_id: str
    user_id: str
    seq: int
    at: int
    payload: dict[str, Any]
    dues: tuple[Due, ...]
    gated: bool = False


class Owed(Struct, frozen=True):
    """How many deliveries a toast is owed by now: to be tried at once, and later on.

    With neither the toast is undelivered: its user has no device, and nothing else was due.
    ``kind`` is that of the first to be tried at once.
    """

    now: int
    later: int
    kind: str | None = None


_STEP = re.compile(r"([^@]{1,100})(?:@([0-9]{1,6})([smhd]))?")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def read_steps(texts: Sequence[str]) -> tuple[Step, ...]:
    """Read the steps of a fallback, such as ``apns`` and ``email@15m``.

    Raises:
        ConfigError: one is neither a kind nor a kind with a time, or a kind is named twice.
    """
    steps: list[Step] = []
    for text in texts:
        match = _STEP.fullmatch(text)
        if match is None or not text.isprintable():
            raise ConfigError(
                f"fallback: {text!r} is no step; name a kind of delivery, like 'apns', or one with "
                "a time to wait first, like 'email@15m' (s, m, h or d)"
            )
        kind, number, unit = match.groups()
        if any(step.kind == kind for step in steps):
            raise ConfigError(f"fallback: {kind!r} is named twice")
        steps.append(Step(kind, int(number) * _UNITS[unit] * 1000 if number else 0))
    return tuple(steps)
