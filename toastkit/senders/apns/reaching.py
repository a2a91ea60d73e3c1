"""Reach a host by one of its addresses, in the time there is."""

from __future__ import annotations

import socket

from ...clock import Deadline


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
