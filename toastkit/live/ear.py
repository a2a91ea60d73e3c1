"""Hear the backplane for a node, and hold the node weakly: publishers hold the backplane."""

from __future__ import annotations

import weakref
from collections.abc import Collection

from ..backplane.contract import Answer, Ear
from ..events import Event


class NodeEar:
    """Hear for a node as long as there is one; afterwards nobody is there."""

    def __init__(self, node: Ear) -> None:
        self._node = weakref.ref(node)

    def hear(self, event: Event, answer: Answer) -> None:
        here = self._node()
        if here is None:
            answer(0, 0)
        else:
            here.hear(event, answer)

    def doubt(self, routes: Collection[str] | None = None) -> None:
        here = self._node()
        if here is not None:
            here.doubt(routes)
