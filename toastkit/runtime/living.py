"""Know the living objects of a kind, and tell each when it finds itself in a forked child."""

from __future__ import annotations

import os
from typing import Protocol, TypeVar
from weakref import WeakSet


class Forkable(Protocol):
    """Something that is not in a forked child what it was in the parent."""

    def _forked(self) -> None:
        """Let go of what is the parent's; called in the child, before anything else runs."""


T = TypeVar("T", bound=Forkable)


class Living(WeakSet[T]):
    """Hold the living objects of one kind; kinds that were made first are told first."""

    def __init__(self) -> None:
        super().__init__()
        os.register_at_fork(after_in_child=self._tell)

    def _tell(self) -> None:
        for each in list(self):
            each._forked()  # noqa: SLF001
