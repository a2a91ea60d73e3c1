"""Tickets: the 15-minute tokens that open a WebSocket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .. import ids
from ..clock import Clock
from ..config import Config
from ..errors import InvalidToken, SessionRevoked, TokenExpired
from ..records import Position, Ticket


class TicketRepository(Protocol):
    """Keep tickets by the hash of their token."""

    def add(self, ticket: Ticket) -> None:
        """Keep a new ticket."""

    def find(self, token_hash: str) -> Ticket | None:
        """Return a ticket, expired ones too while they are remembered.

        It says whether the session it came from has been revoked.
        """

    def position(self, user_id: str) -> Position:
        """Return where a principal's toasts stand now."""


@dataclass(frozen=True, slots=True)
class TicketRequest:
    """Say for whom, from which device and to which topics a ticket is wanted.

    The topics have passed the namespace rule. ``session_hash`` names the session that asks, so
    that revoking it ends what it opened.
    """

    user_id: str
    device_id: str
    topics: tuple[str, ...]
    session_hash: str | None = None


class Tickets:
    """Mint and redeem tickets (A1-A10). Only the hash of a token is stored."""

    def __init__(self, repository: TicketRepository, config: Config, clock: Clock) -> None:
        self._repository = repository
        self._config = config
        self._clock = clock

    def mint(self, request: TicketRequest) -> tuple[str, Ticket]:
        """Return a fresh token, shown this once, and its ticket.

        Raises:
            StorageUnavailable: it could not be kept.
        """
        token = ids.token()
        ticket = Ticket(
            token_hash=ids.token_hash(token),
            user_id=request.user_id,
            device_id=request.device_id,
            topics=request.topics,
            session_hash=request.session_hash,
            expires_at=self._clock.now() + self._config.ticket_seconds * 1000,
        )
        self._repository.add(ticket)
        return token, ticket

    def grant(self, request: TicketRequest, until: int | None) -> Ticket:
        """Return a ticket that nobody need redeem, for a request that shows already who asks.

        It ends at ``until``, in milliseconds since the epoch; ``None``: when one minted now would.

        Raises:
            StorageUnavailable: it cannot be read where the principal's toasts stand.
        """
        longest = self._clock.now() + self._config.ticket_seconds * 1000
        return Ticket(
            token_hash="",
            user_id=request.user_id,
            device_id=request.device_id,
            topics=request.topics,
            session_hash=request.session_hash,
            expires_at=longest if until is None else until,
            position=self._repository.position(request.user_id),
        )

    def redeem(self, token: str) -> Ticket:
        """Return the ticket of a token; it stays good until it expires, for reconnects.

        Raises:
            TokenExpired: its 15 minutes are over.
            SessionRevoked: the session it came from has been revoked (B5).
            InvalidToken: it is unknown.
        """
        ticket = self._repository.find(ids.token_hash(token))
        if ticket is None:
            raise InvalidToken("unknown WebSocket token")
        if ticket.revoked:
            raise SessionRevoked
        if self._clock.now() >= ticket.expires_at:
            raise TokenExpired
        return ticket
