"""The same events as lines of JSON, for clients without WebSocket: ``curl -N`` is one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from flask import Response, request
from msgspec import Meta

from toastkit.dialects import ToastsDialect
from toastkit.dialects.shapes import Wanted
from toastkit.errors import Invalid, StorageUnavailable, TopicNotAllowed
from toastkit.identity import TicketRequest
from toastkit.ids import default_device_id
from toastkit.live import Connection
from toastkit.principals import Principal
from toastkit.records import Ticket
from toastkit.topics import own
from toastkit.transports import Arrival, LineFraming, head

from ..bodies import query
from ..door import Door
from ..guards import current_principal
from ..operations import Operation
from ..policies import Policy
from ..state import current_kit
from .realtime import LeftOff, Taken, arriving

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

DIALECT = ToastsDialect(LineFraming())
_ADMITTED = "toastkit.stream"

stream = Door("toastkit_stream")


class Followed(LeftOff, frozen=True):
    """What a client of a stream asks for."""

    topic: (
        Annotated[list[Wanted], Meta(description="What to hear; by default what is one's own.")]
        | None
    ) = None


class Lines(Taken):
    """Begin to tell lines, once the request has passed everything that may still refuse it.

    What the host adds to every answer, such as the headers of CORS, is on this one by then.
    """

    default_mimetype = "application/x-ndjson"

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Take the socket, or tell the lines as the body of this very answer."""
        arrival, connection = environ.pop(_ADMITTED)
        if arrival.portable:
            self.headers.pop("Content-Length", None)
            self.response = arrival.lines(connection)
            return Response.__call__(self, environ, start_response)
        now = current_kit().node.clock.now()
        arrival.stream(connection, head(self.status, self.headers, now))
        return super().__call__(environ, start_response)


@stream.get(
    "/v1/toasts/stream",
    policy=Policy.PRINCIPAL,
    rate="stream",
    operation=Operation(
        "stream_toasts",
        str,
        media="application/x-ndjson",
        query=Followed,
        errors=(Invalid, TopicNotAllowed, StorageUnavailable),
    ),
)
def follow() -> Response:
    """Tell the events of whoever asks as lines of JSON, until their session ends (B4).

    The lines are the frames of ``asyncapi.json``; the last one says why the stream has ended.
    """
    answer = Lines(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    if request.method == "HEAD":
        return Response(headers=answer.headers)
    kit = current_kit()
    granted = grant(current_principal())
    arrival = Arrival(request.environ, kit.node.runtime, kit.config)
    connection = kit.node.admit(granted, DIALECT, arriving(deaf=True))
    request.environ[_ADMITTED] = arrival, connection
    return answer


@stream.teardown_request
def leave(_: BaseException | None) -> None:
    """Let go of a client that was refused after all; it would be held, and told."""
    admitted: tuple[Arrival, Connection] | None = request.environ.pop(_ADMITTED, None)
    if admitted is not None:
        admitted[0].abandon(admitted[1])


def grant(who: Principal) -> Ticket:
    """Return what this request may hear, and for how long: as long as its own credential."""
    kit, topics = current_kit(), wanted(who.user_id)
    device_id = default_device_id(who.user_id)
    asked = TicketRequest(who.user_id, device_id, topics, who.session_hash)
    return kit.identity.tickets.grant(asked, who.expires_at)


def wanted(user_id: str) -> tuple[str, ...]:
    """Return the topics of ``?topic=``, one's own if none is named.

    Raises:
        Invalid: they are too many.
        TopicNotAllowed: one is somebody else's. An answer has a status that can say so.
    """
    kit, named = current_kit(), query().getlist("topic") or [own(user_id)]
    if len(named) > kit.config.topics_per_connection:
        text = f"topic may be named at most {kit.config.topics_per_connection} times"
        raise Invalid(text, ("topic",), "length")
    accepted = kit.node.rules.accepted(user_id, named)
    for topic in named:
        if topic not in accepted:
            raise TopicNotAllowed(topic)
    return accepted
