"""The gateway: the handshake is flask-sock's, the socket becomes ours (A21-A25)."""

from __future__ import annotations

from typing import Any

from flask import Response, g, request
from flask_sock import Sock

from toastkit.closing import CloseReason
from toastkit.dialects import ToastsDialect, http_error
from toastkit.errors import Invalid, InvalidToken, MissingToken, TokenExpired, Unauthenticated
from toastkit.live import Connection
from toastkit.replies import Failure
from toastkit.transports import Arrival, WebSocketFraming

from ..bodies import answer
from ..door import Door
from ..origins import ensure_origin
from ..state import current_kit

DIALECT = ToastsDialect(WebSocketFraming())
REASONS = {
    MissingToken: CloseReason.TOKEN_MISSING,
    TokenExpired: CloseReason.TOKEN_EXPIRED,
    InvalidToken: CloseReason.TOKEN_REJECTED,
}

realtime = Door("toastkit_realtime")
sock = Sock()


@realtime.get("/v1/realtime")
def plain() -> Response:
    """Tell a plain GET what this path wants."""
    text = "this is a WebSocket: connect with an Upgrade request"
    body = {"detail": "Upgrade Required", "code": "upgrade_required", "message": text}
    return answer(body, 426, {"Upgrade": "websocket", "Connection": "Upgrade"})


@realtime.before_request
def arrive() -> Response | None:
    """Admit the client, and stand between flask-sock's handshake and the socket."""
    if request.url_rule is None or not request.url_rule.websocket:
        return None
    kit = current_kit()
    ensure_origin(kit.config)
    try:
        g.toastkit_arrival = Arrival.from_environ(request.environ, kit.node.runtime, kit.config)
    except Invalid as error:
        return refuse_handshake(error)
    g.toastkit_connection = admit()
    return None


@sock.route("/v1/realtime", bp=realtime)  # type: ignore[untyped-decorator]
def gateway(ws: Any) -> None:
    """Take the socket over, now that the handshake is out."""
    g.toastkit_arrival.open(g.toastkit_connection, ws)
    g.pop("toastkit_arrival")


@realtime.teardown_request
def leave(_: BaseException | None) -> None:
    """Let go of a client whose handshake came to nothing; it would be held for ever."""
    arrival = g.pop("toastkit_arrival", None)
    if arrival is not None:
        arrival.abandon(g.pop("toastkit_connection", None))


@realtime.errorhandler(ConnectionError)
def gone(_: ConnectionError) -> Response:
    """Say nothing, to nobody: the client left while its handshake was written."""
    return Response(status=400)


def refuse_handshake(error: Invalid) -> Response:
    """Answer a request that is no handshake of ours: 426 for another version, else 400."""
    body = http_error(error)[1]
    if error.type == "version":
        return answer(body, 426, {"Sec-WebSocket-Version": "13"})
    return answer(body, 400)


def admit() -> Connection:
    """Return the connection of this request: one that hears, or one that is told why not.

    A browser cannot read the status of a failed upgrade, so a refusal comes after it (A.7).
    """
    kit, token = current_kit(), request.args.get("token", "")
    try:
        if not token:
            raise MissingToken
        ticket = kit.tickets.redeem(token)
    except Unauthenticated as error:
        return refuse(REASONS[type(error)], error)
    if ticket.session_hash is not None and kit.sessions.is_revoked(ticket.session_hash):
        return refuse(CloseReason.TOKEN_REVOKED, InvalidToken("session revoked"))
    return kit.node.admit(ticket, DIALECT, request.args.get("state") == "background")


def refuse(reason: CloseReason, error: Unauthenticated) -> Connection:
    """Return a connection that is told why it may not stay."""
    failure = Failure(None, error.code, str(error))
    return current_kit().node.refuse(DIALECT, reason, failure)
