"""Sockets and frames: how a connection's bytes get out of a web server and to a client."""

from .accept import Arrival
from .frames import FrameError, FrameReader, WebSocketFraming

__all__ = ["Arrival", "FrameError", "FrameReader", "WebSocketFraming"]
