"""Find out what was told on some routes and may not have been heard here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from functools import partial

from ..errors import StorageUnavailable
from ..records import Position
from .connection import Connection
from .parts import NodeParts
from .position import is_behind
from .roster import Roster

SLICE = 500
"""Principals that are asked for in one read."""

AGAIN_SECONDS = 0.5
"""After this time whoever was behind, or could not be looked at, is looked at again."""

log = logging.getLogger("toastkit")


class Doubts:
    """Compare where connections stand with where their principals' toasts do; on the loop.

    Whoever is behind catches up. One read tells of hundreds of principals, so ten thousand
    connections cost a worker twenty reads when Redis is back, and most of them nothing more.
    """

    def __init__(
        self, parts: NodeParts, roster: Roster, catch_up: Callable[[Connection], object]
    ) -> None:
        self._inbox = parts.inbox
        self._runtime = parts.runtime
        self._roster = roster
        self._catch_up = catch_up
        self._doubtful: dict[str, None] = {}
        self._later: set[str] = set()
        self._looking = False
        self._well = True

    def doubt(self, routes: Collection[str] | None) -> None:
        """Look at these routes soon; ``None``: at all that somebody is on."""
        if routes is None:
            routes = self._roster.routes
        # A read that goes on may have begun before what is doubted now was stored: the next read
        # is for that.
        self._doubtful.update(dict.fromkeys(routes))
        self._begin()

    def _begin(self) -> None:
        if self._doubtful and not self._looking:
            self._looking = True
            # In the next turn: what else is doubted in this one is read with it.
            self._runtime.call(self._look)

    def _look(self) -> None:
        some = list(self._doubtful)[:SLICE]
        for route in some:
            del self._doubtful[route]
        users = {
            connection.user_id: route
            for route in some
            for connection in self._roster.members(route)
        }
        if not users:
            self._done()
            return
        try:
            self._runtime.spawn(partial(self._read, users))
        except RuntimeError as error:  # no thread is to be had
            self._cannot(error)
            self._compare(users, None)

    def _read(self, users: Mapping[str, str]) -> None:
        found: Mapping[str, Position] | None = None
        try:
            found = self._inbox.standings(list(users))
        except StorageUnavailable as error:
            self._cannot(error)
        finally:
            self._runtime.call(self._compare, users, found)

    def _cannot(self, error: Exception) -> None:
        if self._well:
            log.warning("what was not heard cannot be read yet: %s", error)

    def _compare(self, users: Mapping[str, str], found: Mapping[str, Position] | None) -> None:
        self._well = found is not None
        later = set(users.values()) if found is None else self._tell(users, found)
        self._look_later(later)
        self._done()

    def _look_later(self, routes: Collection[str]) -> None:
        # One timer for all: a doubt a second, while nothing can be read, must not add up.
        if routes and not self._later:
            self._runtime.call_later(AGAIN_SECONDS, self._look_again)
        self._later.update(routes)

    def _look_again(self) -> None:
        later, self._later = self._later, set()
        self.doubt(later)

    def _tell(self, users: Mapping[str, str], found: Mapping[str, Position]) -> set[str]:
        """Let those that are behind catch up; return the routes that must be looked at again."""
        later = set()
        for user_id, place in found.items():
            for connection in list(self._roster.members(users[user_id])):
                if is_behind(connection, place):
                    # Its read may fail, or have begun before what is doubted was there.
                    later.add(users[user_id])
                    if connection.catching is None:
                        self._catch_up(connection)
        return later

    def _done(self) -> None:
        self._looking = False
        self._begin()
