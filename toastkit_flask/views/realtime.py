"""The gateway: toasts come by WebSocket (A21-A25).

We answer the handshake, and the socket becomes ours. flask-sock's route is there for
``gateway="portable"``, where the server keeps its socket.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from flask import Response, g, request
from flask_sock import Sock
from msgspec import Meta, Struct

from toastkit.dialects import ToastsDialect, http_error, read_since
from toastkit.dialects.shapes import ToastId
from toastkit.errors import Invalid, MissingToken, OriginNotAllowed, Unauthenticated
from toastkit.live import Arriving, Connection, refusal
from toastkit.transports import GUNICORN, Arrival, WebSocketFraming, refuse_compression

from ..bodies import answer, query
from ..door import Door
from ..operations import Operation
from ..origins import ensure_origin
from ..policies import Policy
from ..state import current_kit

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

DIALECT = ToastsDialect(WebSocketFraming())
realtime = Door("toastkit_realtime")
sock = Sock()


class LeftOff(Struct, frozen=True):
    """How a client comes, and where it left off."""

    state: Annotated[
        Literal["foreground", "background"],
        Meta(description="`background`: it does not count as in front of its user."),
    ] = "foreground"
    since: (
        Annotated[
            str,
            Meta(
                description="The position it left off at, `<seq>.<epoch>`: what was missed since "
                "is told first. A text that is none is answered with `recovered: false`."
            ),
        ]
        | None
    ) = None
    last_toast_id: (
        Annotated[ToastId, Meta(description="Or the newest toast that it knows.")] | None
    ) = None


GATEWAY = Operation(
    "connect",
    None,
    101,
    query=LeftOff,
    errors=(OriginNotAllowed,),
    codes={400: ("invalid",), 426: ("upgrade_required", "invalid")},
)


class Taken(Response):
    """End a request whose socket is no longer the server's."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Write nothing under gunicorn, which takes ``StopIteration`` for a quiet end.

        Elsewhere what is written finds a client that has hung up.
        """
        if GUNICORN in environ:
            raise StopIteration
        return super().__call__(environ, start_response)


@realtime.get("/v1/realtime", policy=Policy.OPEN, operation=GATEWAY)
def plain() -> Response:
    """Tell a plain GET what this path wants."""
    text = "this is a WebSocket: connect with an Upgrade request"
    body = {"detail": "Upgrade Required", "code": "upgrade_required", "message": text}
    return answer(body, 426, {"Upgrade": "websocket", "Connection": "Upgrade"})


@realtime.before_request
def arrive() -> Response | None:
    """Admit the client, take its socket, and answer its handshake on it."""
    if request.url_rule is None or not request.url_rule.websocket:
        return None
    kit = current_kit()
    ensure_origin(kit.config)
    try:
        query()
        arrival = Arrival.from_environ(request.environ, kit.node.runtime, kit.config)
    except Invalid as error:
        return refuse_handshake(error)
    connection = admit()
    if arrival.portable:
        refuse_compression(request.environ)
        g.toastkit_arrival, g.toastkit_connection = arrival, connection
        return None
    arrival.open(connection)
    return Taken(status=101)


@sock.route(  # type: ignore[untyped-decorator]
    "/v1/realtime", bp=realtime, policy=Policy.TICKET, operation=GATEWAY
)
def gateway(ws: Any) -> None:
    """Open the WebSocket that toasts come by; its frames are described in ``asyncapi.json``.

    Without a good ticket the handshake succeeds all the same, for a browser could not read why it
    failed: an ``error`` frame says so, and close code 4001 or 4002.
    """
    g.toastkit_arrival.serve(g.toastkit_connection, ws)
    g.pop("toastkit_arrival")


@realtime.teardown_request
def leave(_: BaseException | None) -> None:
    """Let go of a client whose handshake came to nothing; it would be held for ever."""
    arrival = g.pop("toastkit_arrival", None)
    if arrival is not None:
        arrival.abandon(g.pop("toastkit_connection"))


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
    kit, token = current_kit(), query().get("token", "")
    try:
        if not token:
            raise MissingToken
        ticket = kit.identity.tickets.redeem(token)
    except Unauthenticated as error:
        return refuse(error)
    return kit.node.admit(ticket, DIALECT, arriving())


def arriving(*, deaf: bool = False) -> Arriving:
    """Return how the client of this request comes."""
    given = query()
    since = read_since(given.get("since"), given.get("last_toast_id"))
    return Arriving(given.get("state") == "background", since, deaf)


def refuse(error: Unauthenticated) -> Connection:
    """Return a connection that is told why it may not stay."""
    return current_kit().node.refuse(DIALECT, *refusal(error))
