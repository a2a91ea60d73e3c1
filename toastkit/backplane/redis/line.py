"""A connection that is made again whenever it breaks."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...runtime.contract import Runtime, Timer
from .counts import Counts
from .dial import Place
from .link import Hearer, Link

FIRST_SECONDS, MOST_SECONDS = 0.05, 1.0


@dataclass(frozen=True, slots=True)
class LineParts:
    """What a line is made of."""

    runtime: Runtime
    place: Place
    counts: Counts


@dataclass(frozen=True, slots=True)
class User:
    """Say who is told, on the loop: that it is open, of replies, and that it is not (any more)."""

    opened: Callable[[], None]
    replies: Callable[[list[Any]], None]
    lost: Callable[[str], None]


class Line:
    """Keep one link open from the first ``open`` on.

    ``trouble`` says why there is none, ``failing`` why there was none, until it has proved good;
    ``settled`` tells whether the first try has ended. Between two tries lies 50 ms at first and a
    second at last, by chance a little less, so that not all workers come back at once.
    """

    def __init__(self, parts: LineParts, user: User) -> None:
        self.trouble: str | None = None
        self.failing: str | None = None
        self.settled = False
        self._runtime = parts.runtime
        self._place = parts.place
        self._counts = parts.counts
        self._user = user
        self._link: Link | None = None
        self._timer: Timer | None = None
        self._failures = 0
        # Which try is the present one: what comes of an earlier one is thrown away.
        self._try = 0

    @property
    def is_open(self) -> bool:
        """Tell whether commands go out."""
        return self._link is not None

    def open(self) -> None:
        """Begin, if it has not begun."""
        if self._try == 0:
            self._begin()

    def send(self, *command: str | bytes | int) -> None:
        """Send one command, if there is a link."""
        if self._link is not None:
            self._link.send(*command)

    def prove(self) -> None:
        """Note that the link does what it is for: the next failure is a first one."""
        self.failing, self._failures = None, 0

    def break_off(self, why: str) -> None:
        """Give the present link up, and try again."""
        if self._link is not None:
            self._link.break_off(why)

    def close(self) -> None:
        """End it for good; nobody is told."""
        self._try += 1
        self.trouble, self.settled = f"{self._place.name}: closed", True
        if self._timer is not None:
            self._timer.cancel()
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _begin(self) -> None:
        self._try += 1
        try:
            self._runtime.spawn(partial(self._connect, self._try))
        except RuntimeError as error:  # no thread is to be had
            self._failed(self._try, str(error))

    def _connect(self, attempt: int) -> None:
        try:
            connected = self._place.dial()
        except Exception as error:  # noqa: BLE001  # whatever it is, the next try is in a moment
            self._runtime.call(self._failed, attempt, str(error))
        else:
            self._runtime.call(self._opened, attempt, connected)

    def _opened(self, attempt: int, connected: socket.socket) -> None:
        if attempt != self._try:
            connected.close()
            return
        self._link = Link(connected, self._runtime, Hearer(self._user.replies, self._broken))
        self._counts.reconnects += self.settled
        self.trouble, self.settled = None, True
        self._user.opened()

    def _broken(self, why: str) -> None:
        self._link = None
        self._failed(self._try, why)

    def _failed(self, attempt: int, why: str) -> None:
        if attempt != self._try:
            return
        self.trouble = self.failing = f"{self._place.name}: {why.rstrip('.')}"
        self.settled = True
        most = min(FIRST_SECONDS * 2**self._failures, MOST_SECONDS)
        self._failures = min(self._failures + 1, 10)
        self._timer = self._runtime.call_later(most * random.uniform(0.5, 1), self._begin)  # noqa: S311
        self._user.lost(self.trouble)
