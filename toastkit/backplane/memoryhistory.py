"""The short history of one process."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec.structs import replace

from .. import ids
from ..clock import Clock
from ..events import Event
from ..records import Position
from ..runtime.contract import Runtime
from .contract import Backplane
from .history import IDLE_META_MS, META_MS, Keep, Past, ensure_fits
from .kept import Kept, Standing, since

MAX_ROUTES = 10_000


@dataclass(slots=True)
class _Route:
    """One route's position and what is kept of it, until when the position is known."""

    until: int
    epoch: str = field(default_factory=ids.epoch)
    seq: int = 0
    kept: deque[Kept] = field(default_factory=deque)


class MemoryHistory:
    """Keep the last events of a process's routes; on its loop, where they are told, too."""

    def __init__(self, backplane: Backplane, runtime: Runtime, clock: Clock) -> None:
        self._backplane = backplane
        self._runtime = runtime
        self._clock = clock
        # Those that were used last stand at the end.
        self._routes: OrderedDict[str, _Route] = OrderedDict()
        self._full: OrderedDict[str, _Route] = OrderedDict()

    def append(self, event: Event, keep: Keep) -> Position:
        ensure_fits(event)
        return self._runtime.ask(lambda: self._append(event, keep))

    def since(self, route: str, position: Position, most: int) -> Past:
        return since(position, most, self._runtime.ask(lambda: self._look(route)))

    def newest(self, route: str, most: int) -> Past:
        standing = self._runtime.ask(lambda: self._look(route))
        return Past(position=standing.position, events=standing.told(most))

    def _append(self, event: Event, keep: Keep) -> Position:
        now = self._clock.now()
        route = self._use(event.route, now)
        route.seq += 1
        route.until = now + META_MS
        event = replace(event, seq=route.seq, epoch=route.epoch)
        route.kept.append(Kept(route.seq, now + keep.ms, event))
        while len(route.kept) > keep.size or route.kept[0].until <= now:
            route.kept.popleft()
        self._full[event.route] = route
        self._full.move_to_end(event.route)
        self._forget(now)
        self._backplane.broadcast([event])
        return Position(route.seq, route.epoch)

    def _look(self, name: str) -> Standing:
        now = self._clock.now()
        route = self._use(name, now)
        if not route.seq:
            route.until = now + IDLE_META_MS
        self._forget(now)
        return Standing(Position(route.seq, route.epoch), now, tuple(route.kept))

    def _use(self, name: str, now: int) -> _Route:
        route = self._routes.get(name)
        if route is None or route.until <= now:
            route = self._routes[name] = _Route(now + IDLE_META_MS)
        self._routes.move_to_end(name)
        return route

    def _forget(self, now: int) -> None:
        """Let go of what is over: two of each kind keep up with the one a call can add."""
        for name, route in _first_two(self._full):
            if not route.kept or route.kept[-1].until <= now:
                route.kept.clear()
                del self._full[name]
        for name, route in _first_two(self._routes):
            if route.until <= now or len(self._routes) > MAX_ROUTES:
                del self._routes[name]
                self._full.pop(name, None)


def _first_two(routes: OrderedDict[str, _Route]) -> Iterable[tuple[str, _Route]]:
    return [item for item, _ in zip(routes.items(), range(2), strict=False)]
