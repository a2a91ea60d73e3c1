"""The routes that a process has clients on, and the channels on which they are heard."""

from __future__ import annotations

from collections.abc import Iterable

from ...events import EVERYBODY
from .keys import Keys
from .listener import Listener


class Routes:
    """Subscribe a route's channel while somebody is on it, and for a moment longer.

    On the loop only, and everything is said on one connection in one order: that is the lock of
    each route. Tabs come and go: a channel is left one to two seconds after its last client.
    """

    def __init__(self, keys: Keys, listener: Listener) -> None:
        self._keys = keys
        self._listener = listener
        self._by_channel = {keys.channel(EVERYBODY).encode(): EVERYBODY}
        self._joined = {EVERYBODY}
        self._leaving: set[str] = set()
        self._going: set[str] = set()

    def join(self, route: str) -> None:
        """Hear a route from now on."""
        channel = self._keys.channel(route).encode()
        self._joined.add(route)
        if channel not in self._by_channel:
            self._by_channel[channel] = route
            self._listener.want(channel)

    def leave(self, route: str) -> None:
        """Hear it no longer; Redis is told later."""
        if route in self._joined:
            self._joined.discard(route)
            self._leaving.add(route)

    def tick(self) -> None:
        """Tell Redis, once a second, what was left a second ago and is so still."""
        for route in self._going - self._joined:
            channel = self._keys.channel(route).encode()
            self._by_channel.pop(channel, None)
            self._listener.leave(channel)
        self._going, self._leaving = self._leaving, set()

    def joined(self, route: str) -> bool:
        """Tell whether somebody is on a route."""
        return route in self._joined

    def find(self, channel: bytes) -> str | None:
        """Return the route that is heard on a channel."""
        return self._by_channel.get(channel)

    def named(self, channels: Iterable[bytes]) -> list[str]:
        """Return the routes that are heard on those channels."""
        return [self._by_channel[channel] for channel in channels if channel in self._by_channel]
