"""Somebody in front of the app, without a browser."""

from __future__ import annotations

import json
from typing import Any

from ..dialects import ToastsDialect
from ..errors import UsageError
from ..identity import TicketRequest
from ..ids import default_device_id
from ..kit import Kit
from ..live import Arriving
from ..principals import route
from ..topics import own
from ..transports.stream import LineFraming

LONG = 3650 * 24 * 3600 * 1000
"""Ten years: however far a test sets the clock, a page that is open stays so."""

_DIALECT = ToastsDialect(LineFraming())


class OnlineClient:
    """Be a page of a user that is open: it is told what a browser would be."""

    def __init__(self, kit: Kit, user_id: str, topics: tuple[str, ...]) -> None:
        wanted = topics or (own(user_id),)
        accepted = kit.node.rules.accepted(user_id, wanted)
        if refused := [topic for topic in wanted if topic not in accepted]:
            raise UsageError(f"{user_id} may not hear {', '.join(refused)}")
        request = TicketRequest(user_id, default_device_id(user_id), accepted)
        ticket = kit.identity.tickets.grant(request, kit.node.clock.now() + LONG)
        self.user_id = user_id
        self.topics = accepted
        self._runtime = kit.node.runtime
        self._wire = _Wire()
        # Deaf: nobody is there who would answer a ping.
        self._connection = kit.node.admit(ticket, _DIALECT, Arriving(deaf=True))
        self._wire.connection = self._connection
        self._runtime.ask(lambda: self._connection.open(self._wire))

    @property
    def frames(self) -> list[dict[str, Any]]:
        """Return every frame it was told, the greeting first."""
        told = [json.loads(line) for line in bytes(self._wire.told).splitlines()]
        return [frame for frame in told if frame["type"] != "heartbeat"]

    @property
    def toasts(self) -> list[dict[str, Any]]:
        """Return the toasts it was shown."""
        return [frame["toast"] for frame in self.frames if frame["type"] == "toast"]

    @property
    def titles(self) -> list[str]:
        """Return the titles of the toasts it was shown."""
        return [toast["title"] for toast in self.toasts]

    @property
    def controls(self) -> list[dict[str, Any]]:
        """Return the controls it was told."""
        return [frame["control"] for frame in self.frames if frame["type"] == "control"]

    def background(self) -> None:
        """Leave the page open where nobody looks at it: a toast goes to the phone, too."""
        self._look(False)

    def foreground(self) -> None:
        """Look at the page again."""
        self._look(True)

    def close(self) -> None:
        """Close the page."""
        self._runtime.ask(self._connection.lost)

    def __repr__(self) -> str:
        return f"<{self.user_id}'s page, shown {self.titles}>"

    def _look(self, there: bool) -> None:
        self._runtime.ask(lambda: setattr(self._connection, "foreground", there))


def disconnect(kit: Kit, user_id: str) -> None:
    """Cut every connection of a user to this process, as a network that is gone would."""

    def cut() -> None:
        for connection in list(kit.node.roster.members(route(user_id))):
            connection.lost()

    kit.node.runtime.ask(cut)


class _Wire:
    """Be a transport that is never full."""

    connection: Any

    def __init__(self) -> None:
        self.told = bytearray()

    def write(self, data: bytes | memoryview) -> int:
        self.told += data
        return len(data)

    def when_writable(self, callback: object) -> None:
        """Call nobody: there is always room."""

    def finish(self) -> None:
        self.abort()

    def abort(self) -> None:
        self.connection.closed()
