"""Commands out, replies in: one connection for everything a process asks of Redis."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from ...errors import BackplaneUnavailable
from .line import Line, LineParts, User

Command = tuple[str | bytes | int, ...]
Then = Callable[[Any], None]
"""Told the reply: what Redis said, its error (``hiredis.ReplyError``), or ``BackplaneUnavailable``."""

SHARES = 4

log = logging.getLogger(__name__)


class Pump:
    """Send the commands of a loop turn in one write, and hand each its reply; on the loop only.

    Until the first connection is made or has failed, commands wait; later none waits for a Redis
    that is away. A Redis that was asked and says nothing for ``seconds`` is away.
    """

    def __init__(self, parts: LineParts, seconds: float, settled: Callable[[], None]) -> None:
        self._runtime = parts.runtime
        self._share = seconds / SHARES
        self._settled = settled
        self._line = Line(parts, User(self._opened, self._replies, self._lost))
        self._early: list[tuple[Command, Then]] = []
        self._asked: deque[Then] = deque()
        self._idle = 0
        self._watched = False

    @property
    def trouble(self) -> str | None:
        """Say why nothing goes out, if so."""
        return self._line.trouble

    @property
    def settled(self) -> bool:
        """Tell whether the first connection has been made, or has failed."""
        return self._line.settled

    @property
    def is_open(self) -> bool:
        """Tell whether commands go out."""
        return self._line.is_open

    def open(self) -> None:
        """Connect, if that has not begun."""
        self._line.open()

    def do(self, command: Command, then: Then) -> None:
        """Run one command; ``then`` is told on the loop what came of it, once, maybe at once."""
        self._line.open()
        if self._line.is_open:
            self._send(command, then)
        elif not self._line.settled:
            self._early.append((command, then))
        else:
            then(BackplaneUnavailable(self._line.trouble))

    def close(self) -> None:
        """Give the connection back; whoever waits for a reply is told that there is none."""
        self._line.close()
        self._fail("closed")

    def abandon(self) -> None:
        """Give back what is the parent's, in a forked child; nobody is told."""
        self._line.close()
        self._asked.clear()
        self._early.clear()

    def _send(self, command: Command, then: Then) -> None:
        # Noted first: sending may break the link, and then everybody who asked is told.
        self._asked.append(then)
        self._line.send(*command)
        if not self._watched:
            self._watched, self._idle = True, 0
            self._runtime.call_later(self._share, self._watch)

    def _opened(self) -> None:
        self._line.prove()
        early, self._early, self._idle = self._early, [], 0
        for command, then in early:
            self.do(command, then)
        self._settled()

    def _replies(self, replies: list[Any]) -> None:
        self._idle = 0
        for reply in replies:
            if not self._asked:
                self._line.break_off("it answers what nobody asked")
                return
            _tell(self._asked.popleft(), reply)

    def _lost(self, why: str) -> None:
        self._fail(why)
        self._settled()

    def _fail(self, why: str) -> None:
        unanswered = [*self._asked, *(then for _, then in self._early)]
        self._asked.clear()
        self._early.clear()
        for then in unanswered:
            _tell(then, BackplaneUnavailable(why))

    def _watch(self) -> None:
        # Counted, not timed: a process that stood still itself has counted nothing, and reads what
        # came meanwhile before the next share is over.
        self._watched = bool(self._asked)
        if not self._watched:
            return
        self._idle += 1
        if self._idle > SHARES:
            self._line.break_off("no reply in time")
            self._watched = False
        else:
            self._runtime.call_later(self._share, self._watch)


def _tell(then: Then, reply: Any) -> None:
    # If one fails to take its reply, the others still get theirs.
    try:
        then(reply)
    except Exception:
        log.exception("a reply of Redis could not be taken")
