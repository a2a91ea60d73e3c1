"""Sockets and frames: how a connection's bytes get out of a web server and to a client.

``accept`` takes the socket; ``websocket`` and ``stream`` speak over it, both on ``sockets``, with the
bytes of ``frames``. ``portable`` and ``portablestream`` serve where no socket can be taken.
"""

from .accept import GUNICORN, Arrival, refuse_compression
from .frames import FrameError, FrameReader, WebSocketFraming
from .stream import LineFraming, head

__all__ = [
    "GUNICORN",
    "Arrival",
    "FrameError",
    "FrameReader",
    "LineFraming",
    "WebSocketFraming",
    "head",
    "refuse_compression",
]
