"""Be told of what was published: afterwards, and unable to refuse it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..deliveries import Ended
from ..events import Event
from ..receipts import Receipt


class Sink:
    """Be told of what was published, and do nothing; override what should do more.

    Called in the publisher's thread, or in a job of its own, never on the loop: they may block.
    """

    def published(self, toasts: Sequence[Event], receipts: Sequence[Receipt]) -> None:
        """Note that toasts were published, each with its receipt, in order."""

    def told(self, control: Event) -> None:
        """Note that a control was told to whoever is there."""

    def later(self, job: Callable[[], None]) -> Callable[[], None]:
        """Return the job to run beside the loop for one that will tell of what is published here."""
        return job

    def settled(self, _ended: Sequence[Ended]) -> Callable[[], object] | None:
        """Return a job that tells of deliveries that have ended, if anybody listens; it may block."""
        return None
