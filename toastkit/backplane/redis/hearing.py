"""What comes to a process over Redis: events for its ear, notices of workers, answers to it."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

from ...clock import Clock
from ...events import Event
from ...runtime.contract import Runtime
from ..contract import Dismissal, Ear, Heed
from .asking import Asked
from .counts import Counts
from .envelope import Envelope, Unreadable, ensure_tellable, open_envelope
from .notices import Answered, Beat, Bye, Dismissed, Missed, read_answers, read_notice
from .peers import Peers

log = logging.getLogger(__name__)

QUIET_SECONDS = 60
_ADDRESS = re.compile(r"([0-9a-f]{16})/([0-9]{1,15})")


@dataclass(frozen=True, slots=True)
class HearingParts:
    """What hearing leans on.

    ``answer`` sends answers to a worker, ``greet`` says that this hears, ``missed`` is told of
    routes on which there is something to read (none: on any).
    """

    runtime: Runtime
    clock: Clock
    counts: Counts
    asked: Asked
    peers: Peers
    answer: Callable[[str, list[Answered]], None]
    greet: Callable[[], None]
    missed: Callable[[Collection[str]], None]


class Hearing:
    """Tell the ear, the peers or the open questions what a message says; on the loop only.

    What is not in our own form is dropped and counted: a message in Redis must not be able to end a
    worker.
    """

    def __init__(self, worker: str, parts: HearingParts) -> None:
        self.ear: Ear | None = None
        self.heed: Heed | None = None
        self._worker = worker
        self._parts = parts
        self._answers: defaultdict[str, list[Answered]] = defaultdict(list)
        self._greets = False
        self._told_at: float | None = None

    def event(self, route: str, payload: bytes, *, joined: bool) -> None:
        """Take an event from the channel of a route; somebody may be there if it is ``joined``."""
        try:
            envelope = open_envelope(route, payload)
            worker, number = _address(envelope)
            if worker == self._worker:
                self._own(number)
                return
            event = envelope.event
            ensure_tellable(event)
        except Unreadable as garbage:
            self._drop(garbage)
            return
        self._hear(event, partial(self._answer, worker, number), joined=joined)

    def notice(self, payload: bytes) -> None:
        """Take what came by the workers' channel."""
        try:
            notice = read_notice(payload)
        except Unreadable as garbage:
            self._drop(garbage)
            return
        if notice.worker == self._worker:
            return
        match notice:
            case Beat(worker, hello):
                self._parts.peers.beat(worker)
                if hello:
                    self._greet()
            case Bye(worker):
                self._parts.peers.gone(worker)
            case Dismissed(worker, user_id, sessions):
                self._parts.peers.heard(worker)
                if self.heed is not None:
                    self.heed(Dismissal(user_id, sessions))
            case Missed(worker, routes):
                self._parts.peers.heard(worker)
                self._parts.missed(routes)

    def answers(self, payload: bytes) -> None:
        """Take what came by this process' own channel."""
        try:
            answers = read_answers(payload)
        except Unreadable as garbage:
            self._drop(garbage)
            return
        for each in answers:
            self._parts.peers.heard(each.worker)
            asking = self._parts.asked.find(each.number)
            if asking is None:
                self._parts.counts.late += 1
            else:
                asking.answered(each.written, each.present)

    def _own(self, number: int) -> None:
        # It was told here when it was broadcast; this is its own copy, which Redis counted.
        asking = self._parts.asked.find(number)
        if asking is not None:
            asking.answered(0, 0)

    def _hear(self, event: Event, answer: Callable[[int, int], None], *, joined: bool) -> None:
        if self.ear is None or not joined:
            answer(0, 0)
            return
        try:
            self.ear.hear(event, answer)
        except Exception:
            # Not answered: that nobody is there is not known.
            log.exception("the %s %s could not be told", event.kind, event.id)

    def _answer(self, worker: str, number: int, written: int, present: int) -> None:
        if not worker:
            return
        if not self._answers:
            self._parts.runtime.call(self._flush)
        self._answers[worker].append(Answered(number, self._worker, written, present))

    def _greet(self) -> None:
        # Once for all who ask in one turn of the loop: each greeting is heard by every worker.
        if not self._greets:
            self._greets = True
            self._parts.runtime.call(self._greeted)

    def _greeted(self) -> None:
        self._greets = False
        self._parts.greet()

    def _flush(self) -> None:
        answers, self._answers = self._answers, defaultdict(list)
        for worker, its in answers.items():
            self._parts.answer(worker, its)

    def _drop(self, garbage: Unreadable) -> None:
        self._parts.counts.dropped[garbage.reason] += 1
        now = self._parts.clock.monotonic()
        if self._told_at is None or now - self._told_at >= QUIET_SECONDS:
            self._told_at = now
            dropped = dict(self._parts.counts.dropped)
            log.warning("messages in Redis that are none of ours were dropped, so far: %s", dropped)


def _address(envelope: Envelope) -> tuple[str, int]:
    """Return whom to answer, and what; nobody is an empty name."""
    if envelope.reply_to is None:
        return "", 0
    found = _ADDRESS.fullmatch(envelope.reply_to)
    if found is None:
        raise Unreadable("wrong_shape")
    return found[1], int(found[2])
