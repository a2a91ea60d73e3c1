"""The backplane that workers on any number of machines share."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from functools import partial

from ...clock import Clock
from ...config import Config
from ...events import Event
from ...runtime.contract import Runtime
from ..contract import Dismissal, Ear, Heed, Pending
from .broker import Broker, BrokerParts
from .counts import Counts
from .dial import Place
from .keys import Keys


class RedisBackplane:
    """Keep the contract over Redis; whatever becomes of Redis, nobody here waits for it.

    A worker tells its own clients at once. While Redis is away every confirmation is incomplete,
    and the ear is told once a second to doubt what it heard.

    Raises:
        ConfigError: the URL is wrong.
    """

    shared = True

    def __init__(self, config: Config, runtime: Runtime, clock: Clock) -> None:
        self.counts = Counts()
        self._runtime = runtime
        place = Place.of(config)
        keys = Keys(config.redis_prefix, place.database)
        seconds = config.redis_timeout_ms / 1000
        self._parts = BrokerParts(runtime, clock, place, keys, self.counts, seconds)
        self._begin()

    @property
    def trouble(self) -> str | None:
        return self._broker.trouble

    def listen(self, ear: Ear) -> None:
        self._broker.hearing.ear = ear

    def heed(self, heed: Heed) -> None:
        self._broker.hearing.heed = heed

    def serve(self) -> None:
        self._used = True
        # At once: on the loop, too, somebody may broadcast before the call's turn comes.
        self._broker.serving = True
        self._runtime.call(self._broker.serve)

    def share(self) -> None:
        """Do nothing: whoever serves the same clients is asked."""

    def join(self, route: str) -> None:
        self._broker.routes.join(route)

    def leave(self, route: str) -> None:
        self._broker.routes.leave(route)

    def broadcast(self, events: Sequence[Event]) -> Pending:
        self._used = True
        return self._broker.broadcast(events)

    def dismiss(self, dismissal: Dismissal) -> None:
        self._used = True
        if self._runtime.on_loop():
            self._broker.dismiss(dismissal)  # now: whoever closes next has said it
        else:
            self._runtime.call(self._broker.dismiss, dismissal)

    def abandon(self) -> None:
        before = self._broker
        self._goes.detach()
        before.abandon()
        self._begin()
        self._broker.hearing.ear = before.hearing.ear
        self._broker.hearing.heed = before.hearing.heed

    def close(self) -> None:
        self._goes.detach()
        if not self._used:
            return  # a loop may not run yet, and at the end of the program none can begin
        said = self._runtime.signal()
        self._runtime.ask(partial(self._broker.finish, said.set))
        said.wait(self._parts.seconds)
        self._runtime.ask(self._broker.close)

    def _begin(self) -> None:
        self._used = False
        self._broker = Broker(self._parts)
        # The loop holds the broker, and the broker does not hold this: so a kit that nobody holds
        # any more is collected, and its connections are closed.
        self._goes = weakref.finalize(self, self._runtime.call, self._broker.close)
        self._goes.atexit = False
