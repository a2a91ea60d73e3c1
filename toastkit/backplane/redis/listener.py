"""What a process hears: channels it has subscribed, on a connection that does nothing else."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from hiredis import ReplyError

from ...runtime.contract import Runtime
from .line import Line, LineParts, User

log = logging.getLogger(__name__)

SLICE = 1000
"""How many channels are subscribed before others get their turn."""
RUN = re.compile(rb"run_id:\w+")
ALL = b"all"
PING_TICKS, SILENT_TICKS = 2, 5
"""How many seconds lie between two pings, and how many without a word mean that nobody is there."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Say who is told, on the loop.

    ``heard`` that from now on everything wanted is heard; ``lost`` that it is no longer (or that
    it could not be); ``joined`` which channels are heard in addition; ``message`` what came where.
    """

    heard: Callable[[], None]
    lost: Callable[[], None]
    joined: Callable[[list[bytes]], None]
    message: Callable[[bytes, bytes], None]


class Listener:
    """Hear the channels that are wanted, whatever happens to the connection; on the loop only.

    Subscribing and unsubscribing are said in one order on one connection, so a channel that is left
    and joined again needs no lock. ``last`` channels are subscribed after all others: whoever is
    seen on them hears everything.
    """

    def __init__(self, parts: LineParts, user: Listening) -> None:
        self.heard = False
        self._runtime: Runtime = parts.runtime
        self._user = user
        self._line = Line(parts, User(self._opened, self._replies, self._lost))
        self._wanted: dict[bytes, bool] = {}
        self._asked: set[bytes] = set()
        self._changed: dict[bytes, None] = {}
        self._joined: list[bytes] = []
        self._flushes = False
        self._began = self._begins = False
        self._greetings: list[Any] = []
        self._run: bytes | None = None
        self._id: int | None = None
        self._ticks = self._silence = 0

    @property
    def trouble(self) -> str | None:
        """Say why nothing is heard, if so; a connection that opens and is then refused counts, too."""
        return self._line.failing

    @property
    def settled(self) -> bool:
        """Tell whether it is known if anything is heard: it is not while a connection begins."""
        return self.heard or self._line.trouble is not None

    def open(self) -> None:
        """Connect, if that has not begun."""
        self._line.open()

    def want(self, channel: bytes, *, last: bool = False) -> None:
        """Hear a channel from now on."""
        self._wanted[channel] = last
        self._change(channel)

    def leave(self, channel: bytes) -> None:
        """Hear it no longer."""
        self._wanted.pop(channel, None)
        self._change(channel)

    def tick(self) -> None:
        """Look, once a second, whether anybody is there: a network may end without a word.

        Seconds are counted in ticks and not read from a clock: a process that stood still itself has
        counted none, and what came meanwhile is still to be read.
        """
        if not self._line.is_open:
            return
        self._ticks += 1
        self._silence += 1
        if self._silence > SILENT_TICKS:
            self._line.break_off("nothing is heard")
        elif self.heard and self._ticks % PING_TICKS == 0:
            self._line.send("PING")

    def close(self) -> None:
        """Give the connection back; nobody is told."""
        self.heard = False
        self._line.close()

    def _opened(self) -> None:
        self._ticks = self._silence = 0
        self._began = False
        self._greetings.clear()
        self._asked.clear()
        self._line.send("INFO", "server")
        self._line.send("CLIENT", "ID")

    def _greeted(self, reply: Any) -> None:
        """Know whom this connection speaks with, and as whom; end the one before; then begin."""
        self._greetings.append(reply)
        match self._greetings:
            case [info, number]:
                found = RUN.search(info) if isinstance(info, bytes) else None
                run, before = found and found[0], self._id
                restarted = run != self._run
                self._run, self._id = run, number if run and isinstance(number, int) else None
                # Redis may not know yet that the connection before this one is dead, and would
                # count it as a listener. After a restart its number is somebody else's.
                if before is None or restarted:
                    self._begin()
                else:
                    self._line.send("CLIENT", "KILL", "ID", before)
            case [_, _, _]:
                self._begin()

    def _begin(self) -> None:
        """Subscribe everything; the answer to the ping comes after all others."""
        self._began = self._begins = True
        self._changed = dict.fromkeys(sorted(self._wanted, key=self._wanted.__getitem__))
        self._flush()

    def _lost(self, _why: str) -> None:
        self.heard = self._began = self._begins = False
        self._changed.clear()
        self._user.lost()

    def _change(self, channel: bytes) -> None:
        if self._began:
            self._changed[channel] = None
            if not self._flushes:
                self._flushes = True
                self._runtime.call(self._flush)

    def _flush(self) -> None:
        # In slices: ten thousand channels at once would hold up everybody on this loop.
        some = list(islice(self._changed, SLICE))
        for channel in some:
            del self._changed[channel]
        fresh = [each for each in some if each in self._wanted and each not in self._asked]
        stale = [each for each in some if each in self._asked and each not in self._wanted]
        if fresh:
            self._line.send("SUBSCRIBE", *fresh)
        if stale:
            self._line.send("UNSUBSCRIBE", *stale)
        self._asked.update(fresh)
        self._asked.difference_update(stale)
        self._flushes = bool(self._changed)
        if self._flushes:
            self._runtime.call(self._flush)
        elif self._begins:
            self._begins = False
            self._line.send("PING", ALL)

    def _replies(self, replies: list[Any]) -> None:
        self._silence = 0
        for reply in replies:
            if not self._line.is_open:
                return
            try:
                self._take(reply)
            except Exception:
                # Whatever is wrong with one message, the next one is heard.
                log.exception("a message in Redis could not be taken")
        joined, self._joined = self._joined, []
        if joined and self.heard:
            self._user.joined(joined)

    def _take(self, reply: Any) -> None:
        match reply:
            case _ if not self._began:
                self._greeted(reply)
            case [b"message", bytes(channel), bytes(payload)]:
                self._user.message(channel, payload)
            case [b"subscribe", bytes(channel), _]:
                self._joined.append(channel)
            case [b"pong", b"all"]:
                self._joined.clear()
                self.heard = True
                self._line.prove()
                self._user.heard()
            case ReplyError():
                self._line.break_off(f"it refuses: {reply}")
