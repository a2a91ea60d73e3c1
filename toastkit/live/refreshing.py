"""Let a connection stay with a fresh ticket, without a reconnect."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ..closing import CloseReason
from ..commands import Refresh
from ..errors import (
    InvalidToken,
    MissingToken,
    SessionRevoked,
    TokenExpired,
    Unauthenticated,
    Unavailable,
)
from ..records import Ticket
from ..replies import Failure, Refreshed
from .connection import Connection, named_device
from .parts import NodeParts

log = logging.getLogger("toastkit")

_REASONS: dict[type[Unauthenticated], CloseReason] = {
    MissingToken: CloseReason.TOKEN_MISSING,
    TokenExpired: CloseReason.TOKEN_EXPIRED,
    SessionRevoked: CloseReason.TOKEN_REVOKED,
}


class Refreshing:
    """Redeem fresh tickets beside the loop, and hand them to their connections (A.8).

    A connection keeps its topics: what they may be was decided when it asked for each.
    """

    def __init__(self, parts: NodeParts) -> None:
        self._runtime = parts.runtime
        self._redeem = parts.redeem

    def begin(
        self, connection: Connection, command: Refresh, then: Callable[[Connection], None]
    ) -> None:
        """Take a ticket; ``then`` is called on the loop when the client has its answer."""

        def job() -> None:
            outcome = self._outcome(command.token)
            self._runtime.call(end, outcome)

        def end(outcome: Ticket | Unauthenticated | None) -> None:
            if not connection.ending:
                _answer(connection, command, outcome)
                then(connection)

        try:
            self._runtime.spawn(job)
        except RuntimeError as error:  # no thread is to be had
            log.warning("a ticket could not be refreshed: %s", error)
            end(None)

    def _outcome(self, token: str) -> Ticket | Unauthenticated | None:
        try:
            return self._redeem(token)
        except Unauthenticated as refusal:
            return refusal
        except Unavailable as trouble:
            log.warning("a ticket could not be refreshed: %s", trouble)
        except Exception:
            log.exception("a ticket could not be refreshed")
        return None


def refusal(error: Unauthenticated, id: object = None) -> tuple[CloseReason, Failure]:
    """Return how a client is told that its token will not do, and why it is ended (A25, A.6)."""
    reason = _REASONS.get(type(error), CloseReason.TOKEN_REJECTED)
    # A session that was revoked is told as any token that is no good.
    code = InvalidToken.code if isinstance(error, InvalidToken) else error.code
    return reason, Failure(id, code, str(error))


def _answer(
    connection: Connection, command: Refresh, outcome: Ticket | Unauthenticated | None
) -> None:
    if isinstance(outcome, Ticket) and not _is_same(connection, outcome):
        # Else one user's connection could be made another's, with all it has heard.
        outcome = InvalidToken("it is of another user or device")
    if isinstance(outcome, Ticket):
        connection.take(outcome)
        connection.reply(Refreshed(command.id, outcome.expires_at))
    elif outcome is None:
        connection.reply(Failure(command.id, message="try again later", retryable=True))
    else:
        reason, failure = refusal(outcome, command.id)
        connection.reply(failure)
        connection.end(reason)


def _is_same(connection: Connection, ticket: Ticket) -> bool:
    mine = (connection.user_id, connection.device_id)
    return mine == (ticket.user_id, named_device(ticket))
