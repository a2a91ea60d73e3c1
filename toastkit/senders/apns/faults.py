"""Why there is no answer to a push."""

from __future__ import annotations


class Unanswered(Exception):
    """A push has no answer.

    ``away``: so would have every other push; not this one alone.
    """

    away = True


class Unreachable(Unanswered):
    """Nobody could be asked."""


class Untrusted(Unreachable):
    """Somebody is there whom nobody vouches for."""


class NotTaken(Unanswered):
    """The other side has not looked at it: it may be repeated freely."""


class Refused(NotTaken):
    """The same, of this push alone: the connection goes on."""


class AnswerLost(Unanswered):
    """The other side may have taken it, or not; it was ``alone`` if others got their answers."""

    def __init__(self, why: str, *, alone: bool = False) -> None:
        super().__init__(why)
        self.away = not alone
