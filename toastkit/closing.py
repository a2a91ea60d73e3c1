"""Why a connection ends. Each dialect gives every reason its own code."""

from __future__ import annotations

from enum import Enum


class CloseReason(Enum):
    """Say why a connection ends; the value is the text sent with the code."""

    TOKEN_EXPIRED = "token expired"
    TOKEN_REJECTED = "token rejected"
    TOKEN_REVOKED = "token revoked"
    TOKEN_MISSING = "token missing"
    SLOW_CONSUMER = "slow consumer"
    NO_PONG = "no pong"
    TOO_MANY_ERRORS = "too many errors"
    RESTART = "restart"
    OVERLOADED = "overloaded"
    TOO_BIG = "message too big"
    TOO_SLOW = "message took too long"
    PROTOCOL = "protocol error"
    BAD_UTF8 = "text is not UTF-8"
    UNSUPPORTED = "only text messages"
    INTERNAL = "internal error"


class Parting(Enum):
    """Say how a client went that was not sent away."""

    CLOSED = "closed by the client"
    LOST = "connection lost"


Ending = CloseReason | Parting
"""How a connection ended."""
