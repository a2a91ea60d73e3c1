"""Name what toastkit has in Redis: channels, short history, presence and rate limits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keys:
    """Name keys and channels: under a prefix, by database, and by a hash of what they are about.

    Channels are not scoped by database, so its number is in the name. What is about one route has
    one hash tag, so that a script may use all of it. No user id can be read from a name.
    """

    prefix: str
    database: int = 0

    def channel(self, route: str) -> str:
        """Return where a route's events are told."""
        return f"{self._of(route)}:r"

    def history(self, route: str) -> list[str]:
        """Return a route's stream of events, and where its position is kept."""
        tag = self._of(route)
        return [f"{tag}:h", f"{tag}:m"]

    def presence(self, route: str) -> list[str]:
        """Return a route's leases, connections and info by member, and who was reaped."""
        tag = self._of(route)
        return [f"{tag}:p", f"{tag}:pn", f"{tag}:pi", f"{tag}:pg"]

    @property
    def due(self) -> str:
        """Return the index of the routes on which leases run out."""
        return f"{self.prefix}:{self.database}:due"

    @property
    def workers(self) -> str:
        """Return the channel on which workers speak of themselves."""
        return f"{self.prefix}:{self.database}:{{workers}}"

    def worker(self, worker: str) -> str:
        """Return the channel of one process, on which it is answered."""
        return f"{self.prefix}:{self.database}:{{w:{worker}}}"

    def limit(self, what: str) -> str:
        """Return the window of one rate and whom it is about."""
        return f"{self._of(what)}:l"

    def _of(self, what: str) -> str:
        digest = hashlib.sha256(what.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{self.prefix}:{self.database}:{{{digest[:32]}}}"
