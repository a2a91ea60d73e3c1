"""Publish for some seconds in a process of its own; say at the end what was heard.

``python -m tests.storage.load URL SECONDS ORDER``: 16 greenlets store toasts of the same users, in
this order or (``-1``) the other way round, while another one watches how the loop stands still.
"""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402

from tests.fakes import toast  # noqa: E402
from toastkit import ids  # noqa: E402
from toastkit.clock import SystemClock  # noqa: E402
from toastkit.errors import StorageUnavailable  # noqa: E402
from toastkit.events import Event  # noqa: E402
from toastkit.records import StateChange  # noqa: E402
from toastkit.runtime import runtime_for  # noqa: E402
from toastkit.storage import Storage  # noqa: E402

USERS = [f"user{number}" for number in range(32)]
BEAT = 0.01


class Load:
    """Publish, and note what became of it."""

    def __init__(self, url: str, seconds: float, order: int) -> None:
        self._clock = SystemClock()
        self._storage = Storage(url, runtime_for("gevent"), self._clock)
        self._users = USERS[::order]
        self._storage.sessions.find("opens the database")
        self._until = time.monotonic() + seconds
        self.heard: dict[str, Any] = {"acknowledged": [], "refused": [], "duplicates": 0}
        self.heard.update(slowest=0.0, standstill=0.0)

    def run(self) -> dict[str, Any]:
        jobs = [gevent.spawn(self._publish) for _ in range(16)]
        gevent.joinall([gevent.spawn(self._watch), *jobs], raise_error=True)
        self._storage.close()
        return self.heard

    def _publish(self) -> None:
        while time.monotonic() < self._until:
            began = time.monotonic()
            events = [self._event(user) for user in self._users]
            try:
                accepted = self._storage.inbox.accept(events, 2000)
            except StorageUnavailable as error:
                self.heard["refused"].append(str(error))
            else:
                self.heard["acknowledged"] += [event.id for event in events]
                self.heard["duplicates"] += sum(each.duplicate for each in accepted)
                self._mark(events)
            self.heard["slowest"] = max(self.heard["slowest"], time.monotonic() - began)

    def _mark(self, events: list[Event]) -> None:
        now = self._clock.now()
        self._storage.inbox.mark(
            [StateChange(event.id, str(event.user_id), "written", now) for event in events]
        )

    def _event(self, user_id: str) -> Event:
        now = self._clock.now()
        id = ids.toast_id(now)
        return toast(user_id, id=id, dedupe_key=id, dedupe_ms=1000, created_at=now)

    def _watch(self) -> None:
        while time.monotonic() < self._until:
            began = time.monotonic()
            gevent.sleep(BEAT)
            late = time.monotonic() - began - BEAT
            self.heard["standstill"] = max(self.heard["standstill"], late)


if __name__ == "__main__":
    load = Load(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
    print("ready", flush=True)
    print(json.dumps(load.run()))
