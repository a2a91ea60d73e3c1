"""Reach a host by one of its addresses, in the time there is."""

from __future__ import annotations

import socket

from ...clock import Clock, SystemClock


class Deadline:
    """Say how much time is left of ``seconds`` for all of something, however many waits it takes."""

    def __init__(self, seconds: float, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._end = self._clock.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left.

        Raises:
            TimeoutError: none are.
        """
        seconds = self._end - self._clock.monotonic()
        if seconds <= 0:
            raise TimeoutError("timed out")
        return seconds


def reach(name: str, port: int, deadline: Deadline) -> socket.socket:
    """Connect to the first address of a host that answers; each gets its share of the time.

    Raises:
        OSError: none does.
    """
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    trouble = OSError(f"{name} has no address")
    for tried, (family, kind, protocol, _, address) in enumerate(found):
        share = deadline.left() / (len(found) - tried)
        connected = socket.socket(family, kind, protocol)
        try:
            connected.settimeout(share)
            connected.connect(address)
        except OSError as error:
            connected.close()
            trouble = error
        else:
            return connected
    raise trouble
