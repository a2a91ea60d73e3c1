"""What a live client may ask for; each dialect reads its own spelling into these."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .records import Since


@dataclass(frozen=True, slots=True)
class Command:
    """Ask for something over a connection; ``id`` is the client's, echoed in the answer."""

    id: Any = None


@dataclass(frozen=True, slots=True)
class Subscribe(Command):
    """Ask to hear topics (A24), and with ``since`` for what was missed of them (A.19)."""

    topics: tuple[str, ...] = ()
    since: Since | None = None


@dataclass(frozen=True, slots=True)
class Unsubscribe(Command):
    """Ask to hear topics no longer (A.5)."""

    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ping(Command):
    """Ask for a sign of life: browsers cannot send protocol pings (A.5)."""


@dataclass(frozen=True, slots=True)
class SetState(Command):
    """Say whether the user is in front of the app (A.17)."""

    foreground: bool = True


@dataclass(frozen=True, slots=True)
class Refresh(Command):
    """Ask to stay, with a fresh ticket of the same user and device (A.8)."""

    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Ack(Command):
    """Say which toasts have arrived and are kept (A.18)."""

    ids: tuple[str, ...] = ()
