"""Mint the tickets that open a WebSocket (A1-A10)."""

from __future__ import annotations

from flask import Response

from toastkit.clock import iso
from toastkit.identity import TicketRequest

from ..answers import Bootstrapped
from ..bodies import Bootstrap, answer, read_bootstrap
from ..door import Door
from ..guards import current_principal
from ..operations import Operation
from ..origins import gateway_url
from ..policies import Policy
from ..state import current_kit

sessions = Door("toastkit_sessions")


@sessions.post(
    "/v1/sessions/toast-bootstrap",
    policy=Policy.PRINCIPAL,
    rate="bootstrap",
    operation=Operation("bootstrap", Bootstrapped, body=Bootstrap, optional=True),
)
def bootstrap() -> Response:
    """Return a ticket, and the URL it opens."""
    kit, who = current_kit(), current_principal()
    body = read_bootstrap(kit.config)
    device_id = body.device_of(who.user_id)
    topics = kit.node.rules.accepted(who.user_id, body.topics_of(who.user_id))
    wanted = TicketRequest(who.user_id, device_id, topics, who.session_hash)
    token, ticket = kit.identity.tickets.mint(wanted)
    ws_url = f"{gateway_url(kit.config)}?token={token}"
    return answer(Bootstrapped(token, ws_url, iso(ticket.expires_at), ticket.topics))
