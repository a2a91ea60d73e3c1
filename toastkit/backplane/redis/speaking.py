"""What a process says over Redis: events, notices, answers; and what Redis refuses of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ...errors import BackplaneUnavailable
from ...events import EVERYBODY
from .keys import Keys
from .notices import Answered, Notice, encode
from .pump import Command, Pump

Then = Callable[[Any], None]


class Speaking:
    """Say it through the pump; on the loop only."""

    def __init__(self, pump: Pump, keys: Keys) -> None:
        self._pump = pump
        self._keys = keys
        self._refusals: dict[str, str] = {}

    @property
    def refusal(self) -> str | None:
        """Say what Redis does not let this process do, if anything: of a user of few rights."""
        return next(iter(self._refusals.values()), None)

    def tick(self) -> None:
        """Ask again, once a second, whether it still refuses to count; the rest is said anyway."""
        if "PUBSUB" in self._refusals:
            self.count_workers(_ignore)

    def event(self, route: str, payload: bytes, then: Then) -> None:
        """Tell an event to whoever is on its route; ``then`` is told how many hear it."""
        self._do("PUBLISH", self._keys.channel(route), payload, then=then)

    def notice(self, notice: Notice, then: Then) -> None:
        """Tell all workers something about one."""
        self._do("PUBLISH", self._keys.workers, encode(notice), then=then)

    def answer(self, worker: str, answers: list[Answered]) -> None:
        """Answer a process what it has asked."""
        self._do("PUBLISH", self._keys.worker(worker), encode(answers), then=_ignore)

    def count_workers(self, then: Callable[[int | None], None]) -> None:
        """Ask how many workers hear everything that is for their clients; ``None``: not known."""
        self._count(self._keys.channel(EVERYBODY), then)

    def look_for(self, worker: str, then: Callable[[int | None], None]) -> None:
        """Ask whether a process is connected: by 1 or 0; ``None``: not known."""
        self._count(self._keys.worker(worker), then)

    def _count(self, channel: str, then: Callable[[int | None], None]) -> None:
        def counted(reply: Any) -> None:
            match reply:
                case [_, int(number)]:
                    then(number)
                case _:
                    then(None)

        self._do("PUBSUB", "NUMSUB", channel, then=counted)

    def _do(self, *command: str | bytes | int, then: Then) -> None:
        self._pump.do(command, partial(self._note, command, then))

    def _note(self, command: Command, then: Then, reply: Any) -> None:
        verb = str(command[0])
        if isinstance(reply, Exception) and not isinstance(reply, BackplaneUnavailable):
            self._refusals[verb] = f"{verb}: {reply}"
        elif self._refusals:
            self._refusals.pop(verb, None)
        then(reply)


def _ignore(_reply: Any) -> None:
    """Let what cannot be told be lost: who asked waits no longer than he said."""
