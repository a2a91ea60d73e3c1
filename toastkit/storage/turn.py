"""A lock for native threads, which gevent does not replace."""

from __future__ import annotations

import os
from _queue import SimpleQueue


class Turn:
    """Let one native thread in at a time: ``with turn:``. Blocks the thread; not reentrant.

    Not a lock of ``threading``: where gevent has replaced those, native threads that meet at one
    may wait for good. A forked child starts afresh, for whoever had the turn did not come along.
    """

    def __init__(self) -> None:
        self._tokens: dict[int, SimpleQueue[None]] = {}

    def __enter__(self) -> None:
        self._token().get()

    def __exit__(self, *_: object) -> None:
        self._token().put(None)

    def _token(self) -> SimpleQueue[None]:
        pid = os.getpid()
        token = self._tokens.get(pid)
        if token is None:
            fresh: SimpleQueue[None] = SimpleQueue()
            fresh.put(None)
            token = self._tokens.setdefault(pid, fresh)
        return token
