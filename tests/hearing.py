"""Whoever listens to a signal, and remembers what it said."""

from __future__ import annotations

import threading
from typing import Any

from blinker import Signal

from toastkit import Receipt


class Heard:
    """Listen to a signal, and remember what it said and where."""

    def __init__(self, signal: Signal, sender: object) -> None:
        self.told: list[dict[str, Any]] = []
        self.senders: list[object] = []
        self.threads: list[int] = []
        signal.connect(self, sender=sender)

    def __call__(self, sender: object, **facts: Any) -> None:
        self.senders.append(sender)
        self.threads.append(threading.get_ident())
        self.told.append(facts)

    @property
    def titles(self) -> list[str]:
        return [each["toast"].title for each in self.told]

    @property
    def receipts(self) -> list[Receipt]:
        return [each["receipt"] for each in self.told]
