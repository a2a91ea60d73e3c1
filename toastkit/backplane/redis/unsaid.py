"""Routes on which a toast did not reach the other workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

from .notices import Missed
from .pump import Then

BATCH = 200
MOST = 10_000
"""How many routes are remembered: of more, everything is to be read."""

Say = Callable[[Missed, Then], object]


class Unsaid:
    """Remember where a toast did not reach Redis, until the others have been told to read it.

    Nothing else would tell their clients before the next toast: the publisher's own clients were
    told, so this one counts as delivered. On the loop only.
    """

    def __init__(self, worker: str, say: Say) -> None:
        self._worker = worker
        self._say = say
        self._routes: set[str] = set()
        self._everything = False

    def note(self, route: str) -> None:
        """Note that a toast on this route has, perhaps, reached nobody else."""
        if len(self._routes) < MOST:
            self._routes.add(route)
        else:
            self._everything = True

    def tell(self) -> None:
        """Tell the others, if there is something; what cannot be told now stays."""
        routes, self._routes = self._routes, set()
        everything, self._everything = self._everything, False
        for some in [()] if everything else _batches(routes):
            self._say(Missed(self._worker, some), partial(self._told, some))

    def _told(self, routes: tuple[str, ...], reply: object) -> None:
        if isinstance(reply, Exception):
            self._everything |= not routes
            for route in routes:
                self.note(route)


def _batches(routes: set[str]) -> Iterator[tuple[str, ...]]:
    rest = iter(routes)
    while some := tuple(islice(rest, BATCH)):
        yield some
