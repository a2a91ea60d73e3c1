"""What happened, as those who took part saw it: each of them writes down its own side."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from msgspec import Struct
from msgspec.json import Decoder, Encoder


class Wished(Struct, frozen=True, tag=True, kw_only=True):
    """Somebody begins to publish a toast; no two have the same title. Times are wall clock ms.

    ``ttl`` begins when the service takes it, with each attempt anew.
    """

    title: str
    user: str
    at: int
    ttl: int | None = None
    collapse: str | None = None


class Answered(Struct, frozen=True, tag=True, kw_only=True):
    """What became of one attempt: ``ok`` (accepted), ``fail`` (nothing was kept), or ``unknown``."""

    title: str
    outcome: str
    at: int
    id: str | None = None
    status: str = ""


class Greeted(Struct, frozen=True, tag=True, kw_only=True):
    """A page's connection was accepted; the page had stood at ``since``, or was new."""

    page: str
    connection: int
    user: str
    seq: int
    at: int
    since: int | None = None
    recovered: bool | None = None


class Told(Struct, frozen=True, tag=True, kw_only=True):
    """A toast that the service took at ``created`` came on a connection, shown before or not."""

    page: str
    connection: int
    user: str
    id: str
    title: str
    seq: int
    at: int
    created: int = 0
    replayed: bool = False


class Shown(Struct, frozen=True, tag=True, kw_only=True):
    """A page showed a toast: it keeps ids, and this one was new to it. ``by`` a frame or the list."""

    page: str
    user: str
    id: str
    title: str
    at: int
    by: str = "frame"


class Rang(Struct, frozen=True, tag=True, kw_only=True):
    """A user's phone took a push."""

    user: str
    id: str
    title: str
    at: int


class Kept(Struct, frozen=True, tag=True, kw_only=True):
    """A toast is in its user's list when all is over."""

    user: str
    id: str
    title: str
    at: int


class Broke(Struct, frozen=True, tag=True, kw_only=True):
    """A fault was done and is over; ``effect`` proves that it happened, and is empty if it did not."""

    kind: str
    at: int
    until: int
    effect: str


Event = Wished | Answered | Greeted | Told | Shown | Rang | Kept | Broke
E = TypeVar("E", *Event.__args__)


class History:
    """Collect events from any thread, in the order they are written down."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._events: list[Event] = list(events)
        self._lock = threading.Lock()

    def add(self, event: Event) -> None:
        """Write down one event."""
        with self._lock:
            self._events.append(event)

    def all(self) -> list[Event]:
        """Return what was written down so far."""
        with self._lock:
            return list(self._events)

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of one kind."""
        return [event for event in self.all() if isinstance(event, kind)]

    def save(self, file: Path) -> None:
        """Write a line of JSON for each event."""
        encode = Encoder().encode
        file.write_bytes(b"".join(encode(event) + b"\n" for event in self.all()))

    @classmethod
    def load(cls, file: Path) -> History:
        """Read what ``save`` wrote."""
        decode = Decoder(Event).decode
        return cls(decode(line) for line in file.read_bytes().splitlines())


def now() -> int:
    """Return the wall clock in milliseconds, as everybody writes it down."""
    return time.time_ns() // 1_000_000
