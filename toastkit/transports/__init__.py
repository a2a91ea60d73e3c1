"""Sockets and frames: how a connection's bytes get out of a web server and to a client."""

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
