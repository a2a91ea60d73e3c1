"""The backplane of one process: the worker hears itself, and nobody else does."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial

from ..events import EVERYBODY, Event
from ..runtime.contract import Runtime, Signal
from .contract import Answer, Confirmation, Dismissal, Ear, Heed, Pending

log = logging.getLogger(__name__)


class MemoryBackplane:
    """Carry events inside one process.

    It keeps the promises of every backplane, joins included, so that what works with it works with
    several workers, too. But it reaches only this one: where others serve the same users, what it
    confirms is never complete, for they may hold sockets that it cannot ask.
    """

    shared = False
    trouble = None

    def __init__(self, runtime: Runtime) -> None:
        self._alone = True
        self._runtime = runtime
        self._ear: Ear | None = None
        self._routes = {EVERYBODY}

    def listen(self, ear: Ear) -> None:
        self._ear = ear

    def heed(self, heed: Heed) -> None:
        """Forget who would be told: there is no other worker."""

    def serve(self) -> None:
        """Do nothing: what this process broadcasts it hears anyway."""

    def share(self) -> None:
        if self._alone:
            self._alone = False
            log.warning(
                "several workers serve this app, and toastkit reaches the clients of one: toasts "
                "for the others' clients are kept and said to be queued. Set TOASTKIT_REDIS_URL"
            )

    def join(self, route: str) -> None:
        self._routes.add(route)

    def leave(self, route: str) -> None:
        self._routes.discard(route)

    def broadcast(self, events: Sequence[Event]) -> Pending:
        answers = _Answers(len(events), self._runtime, complete=self._alone)
        for place, event in enumerate(events):
            try:
                self._tell(event, partial(answers.take, place))
            except Exception:
                # One event that cannot be told must not keep the others from being heard.
                log.exception("the %s %s could not be told", event.kind, event.id)
                answers.miss(place)
        return answers

    def dismiss(self, dismissal: Dismissal) -> None:
        """Tell nobody: there is no other worker."""

    def abandon(self) -> None:
        self._routes = {EVERYBODY}

    def close(self) -> None:
        self._ear = None

    def _tell(self, event: Event, answer: Answer) -> None:
        if self._ear is None or event.route not in self._routes:
            answer(0, 0)
        else:
            self._ear.hear(event, answer)


class _Answers:
    """Collect one worker's answers to some events: on the loop, while the publisher may wait."""

    def __init__(self, size: int, runtime: Runtime, *, complete: bool) -> None:
        self._confirmations = [Confirmation()] * size
        self._missing = set(range(size))
        self._done: Signal | None = None
        self._runtime = runtime
        self._complete = complete

    def take(self, place: int, written: int, present: int) -> None:
        """Note the answer to one event."""
        if place in self._missing:
            self._confirmations[place] = Confirmation(written, present, self._complete)
            self.miss(place)

    def miss(self, place: int) -> None:
        """Expect no answer to an event any more."""
        self._missing.discard(place)
        if not self._missing and self._done is not None:
            self._done.set()

    def wait(self, seconds: float) -> list[Confirmation]:
        if self._missing:
            done = self._done = self._runtime.signal()
            # Looked at again: the loop takes what is missing first and looks for the signal second.
            if self._missing:
                done.wait(seconds)
        # A copy: an answer that comes late must not change what was decided on.
        return list(self._confirmations)
