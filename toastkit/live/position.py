"""Where a connection stands among its principal's toasts, and what one more toast is to it."""

from __future__ import annotations

from enum import Enum

from ..events import Event
from ..records import Position
from .connection import Connection


class Step(Enum):
    """Say what a toast is to a connection: to be told, told already, or proof of a gap."""

    NEW = "new"
    ECHO = "echo"
    GAP = "gap"


NEW, ECHO, GAP = Step  # looked up once: deliveries are many


def meet(connection: Connection, toast: Event) -> Step:
    """Tell what a toast is to a connection, and move the connection on.

    Every toast of its principal moves it, heard or not, so a position that is skipped means that
    somebody else published: what is between must be read. A toast up to ``start`` was there before
    this connection, but is decided only now; it is told and moves nothing.
    """
    seq = toast.seq or 0
    if connection.epoch == toast.epoch:
        if seq == connection.seq + 1:
            connection.seq = seq
            return NEW
        if seq > connection.seq:
            return GAP
        return ECHO if seq > connection.start else NEW
    if not connection.epoch and seq > 1:
        return GAP  # it came before its principal's first toast, and this is a later one
    connection.seq, connection.epoch, connection.start = seq, toast.epoch or "", seq - 1
    return NEW


def is_behind(connection: Connection, place: Position) -> bool:
    """Tell whether a principal's toasts have come further than a connection knows."""
    if connection.epoch == place.epoch:
        return place.seq > connection.seq
    # Before its principal's first toast a connection knows no epoch; another is a new numbering.
    return place.seq > 0
