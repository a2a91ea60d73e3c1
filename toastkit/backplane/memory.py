"""The backplane of one process: the worker hears itself, and nobody else does."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ..events import EVERYBODY, Event
from ..runtime.contract import Runtime
from .contract import Confirmation, Listener


class MemoryBackplane:
    """Carry events inside one process.

    It keeps the promises of every backplane, joins included, so that what works with it works
    with several workers.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._listener: Listener | None = None
        self._routes = {EVERYBODY}

    def listen(self, listener: Listener) -> None:
        self._listener = listener

    def join(self, route: str) -> None:
        self._routes.add(route)

    def leave(self, route: str) -> None:
        self._routes.discard(route)

    def broadcast(self, events: Sequence[Event], confirm: float) -> list[Confirmation]:
        answers = _Answers(len(events), self._runtime)
        if self._runtime.on_loop():
            self._tell(events, answers)
        else:
            self._runtime.call(self._tell, events, answers)
        return answers.wait(confirm)

    def close(self) -> None:
        self._listener = None

    def _tell(self, events: Sequence[Event], answers: _Answers) -> None:
        for place, event in enumerate(events):
            answer = partial(answers.take, place)
            if self._listener is None or event.route not in self._routes:
                answer(0, 0)
            else:
                self._listener(event, answer)


class _Answers:
    """Collect one worker's answers to some events; makes a waitable event only when it must."""

    def __init__(self, size: int, runtime: Runtime) -> None:
        self.confirmations = [Confirmation()] * size
        self._missing = size
        self._done = None if runtime.on_loop() else runtime.event()
        self._runtime = runtime

    def take(self, place: int, written: int, present: int) -> None:
        answer = Confirmation(written, present, complete=True)
        self.confirmations[place] = answer
        self._missing -= 1
        if not self._missing and self._done is not None:
            self._done.set()

    def wait(self, seconds: float) -> list[Confirmation]:
        if self._missing and seconds > 0:
            self._done = self._done or self._runtime.event()
            self._done.wait(seconds)
        # A copy: an answer that comes late must not change what was decided on.
        return list(self.confirmations)
