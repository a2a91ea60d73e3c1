"""What a process says over Redis: events, notices, answers; and what Redis refuses of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from ...errors import BackplaneUnavailable
from ...events import EVERYBODY
from .keys import Keys
from .notices import Answered, Notice, encode
from .pump import Command, Pump

Then = Callable[[Any], None]
Hearers = Mapping[str, int]
"""How many processes are subscribed, by what was asked for."""


class Speaking:
    """Say it through the pump; on the loop only.

    ``watched`` tells whether somebody listens by a pattern, as an operator's tool does: Redis counts
    that as one more receiver of an event, but it answers nothing.
    """

    def __init__(self, pump: Pump, keys: Keys) -> None:
        self._pump = pump
        self._keys = keys
        self._refusals: dict[str, str] = {}
        self.watched = False

    @property
    def refusal(self) -> str | None:
        """Say what Redis does not let this process do, if anything: of a user of few rights."""
        return next(iter(self._refusals.values()), None)

    def tick(self) -> None:
        """Look, at first and once a second, who watches, and whether it still refuses to count."""
        self._pump.do(("PUBSUB", "NUMPAT"), self._see)
        if "PUBSUB" in self._refusals:
            self.count([EVERYBODY], _ignore)

    def event(self, route: str, payload: bytes, then: Then) -> None:
        """Tell an event to whoever is on its route; ``then`` is told how many hear it."""
        self._do("PUBLISH", self._keys.channel(route), payload, then=then)

    def notice(self, notice: Notice, then: Then) -> None:
        """Tell all workers something about one."""
        self._do("PUBLISH", self._keys.workers, encode(notice), then=then)

    def answer(self, worker: str, answers: list[Answered]) -> None:
        """Answer a process what it has asked."""
        self._do("PUBLISH", self._keys.worker(worker), encode(answers), then=_ignore)

    def count(self, routes: Iterable[str], then: Callable[[Hearers | None], None]) -> None:
        """Ask how many processes hear each route; ``None``: not known."""
        self._count({self._keys.channel(route): route for route in routes}, then)

    def look_for(self, worker: str, then: Callable[[int | None], None]) -> None:
        """Ask whether a process is connected: by 1 or 0; ``None``: not known."""
        channels = {self._keys.worker(worker): worker}
        self._count(channels, lambda found: then(None if found is None else found[worker]))

    def _count(self, channels: Mapping[str, str], then: Callable[[Hearers | None], None]) -> None:
        def counted(reply: Any) -> None:
            numbers = reply[1::2] if isinstance(reply, list) else []
            known = len(numbers) == len(channels) and all(isinstance(each, int) for each in numbers)
            then(dict(zip(channels.values(), numbers, strict=True)) if known else None)

        self._do("PUBSUB", "NUMSUB", *channels, then=counted)

    def _see(self, reply: Any) -> None:
        self.watched = isinstance(reply, int) and reply > 0

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
    """Do nothing about a reply: an answer that is lost is waited for no longer than any other."""
