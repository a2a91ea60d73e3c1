"""Know the living objects of one kind, and tell each of them that its process was forked."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol, TypeVar
from weakref import WeakSet

from .jobs import guarded


class Forkable(Protocol):
    """Something that holds what a forked child must not use: sockets, threads, locks."""

    def _forked(self) -> None:
        """Let go of what is the parent's; called in the child, before anything else runs."""


T = TypeVar("T", bound=Forkable)


class Living(WeakSet[T]):
    """Hold the living objects of one kind; kinds that were made first are told first.

    ``watchers`` are told of each that is added.
    """

    def __init__(self) -> None:
        super().__init__()
        self.watchers: list[Callable[[T], object]] = []
        os.register_at_fork(after_in_child=self._tell)

    def add(self, item: T) -> None:
        """Know one more, and tell those who watch for that."""
        super().add(item)
        for watch in tuple(self.watchers):
            watch(item)

    def _tell(self) -> None:
        for each in list(self):
            guarded(each._forked)  # noqa: SLF001  # one that fails keeps no other from letting go
