"""Publish toasts, list them, and note what was read (A14-A20, A.21, A.22)."""

from __future__ import annotations

from flask import Response
from msgspec.structs import asdict

from toastkit import Kit, Receipt
from toastkit.dialects import PublishRequest, ToastPage, read_publish, toast_page
from toastkit.dialects.shapes import ToastId
from toastkit.errors import StorageUnavailable, TopicNotAllowed, UnknownToast

from ..answers import AllRead, Marked
from ..bodies import Listing, OfPage, ReadAll, answer, read_page, read_raw, read_up_to
from ..door import Door
from ..guards import current_principal, own_connection
from ..operations import Operation
from ..policies import Policy
from ..state import current_kit

toasts = Door("toastkit_toasts")


def _marks(id: str) -> Operation:
    return Operation(id, Marked, path={"id": ToastId}, headers=OfPage, errors=(UnknownToast,))


@toasts.post(
    "/v1/toasts/publish",
    policy=Policy.PUBLISHER,
    rate="publish",
    operation=Operation(
        "publish_toast",
        Receipt,
        202,
        body=PublishRequest,
        errors=(TopicNotAllowed, StorageUnavailable),
    ),
)
def publish() -> Response:
    """Publish a toast to one user; checks run 503, 401, 429, 422."""
    kit = current_kit()
    wanted = read_publish(read_raw(kit.config))
    # The answer promises that the toast is kept: it does not wait for a commit of the host's.
    response = answer(kit.publish_toast(**asdict(wanted), db=None), 202)
    # A publisher that keeps its connection busy would otherwise never let go of the worker.
    response.call_on_close(kit.node.runtime.breathe)
    return response


@toasts.get(
    "/v1/toasts",
    policy=Policy.PRINCIPAL,
    rate="list",
    operation=Operation("list_toasts", ToastPage, query=Listing, errors=(TopicNotAllowed,)),
)
def recent() -> Response:
    """List toasts of whoever asks, newest first."""
    kit, who = current_kit(), current_principal()
    return answer(toast_page(kit.toasts.list(who.user_id, **read_page())))


@toasts.post(
    "/v1/toasts/<id>/read",
    policy=Policy.PRINCIPAL,
    rate="inbox",
    operation=_marks("mark_read"),
)
def read(id: str) -> Response:
    """Note that a toast was read."""
    kit, user_id = _changing()
    kit.toasts.read(user_id, id, exclude=own_connection())
    return answer(Marked(id, kit.toasts.unread_count(user_id)))


@toasts.post(
    "/v1/toasts/<id>/unread",
    policy=Policy.PRINCIPAL,
    rate="inbox",
    operation=_marks("mark_unread"),
)
def unread(id: str) -> Response:
    """Note that a toast is to be read again."""
    kit, user_id = _changing()
    kit.toasts.unread(user_id, id, exclude=own_connection())
    return answer(Marked(id, kit.toasts.unread_count(user_id)))


@toasts.post(
    "/v1/toasts/<id>/seen",
    policy=Policy.PRINCIPAL,
    rate="inbox",
    operation=_marks("mark_seen"),
)
def seen(id: str) -> Response:
    """Note that a toast was seen in the list."""
    kit, user_id = _changing()
    kit.toasts.seen(user_id, id, exclude=own_connection())
    return answer(Marked(id, kit.toasts.unread_count(user_id)))


@toasts.delete(
    "/v1/toasts/<id>",
    policy=Policy.PRINCIPAL,
    rate="inbox",
    operation=_marks("delete_toast"),
)
def delete(id: str) -> Response:
    """Take a toast out of the list."""
    kit, user_id = _changing()
    kit.toasts.delete(user_id, id, exclude=own_connection())
    return answer(Marked(id, kit.toasts.unread_count(user_id)))


@toasts.post(
    "/v1/toasts/read-all",
    policy=Policy.PRINCIPAL,
    rate="inbox",
    operation=Operation(
        "mark_all_read",
        AllRead,
        body=ReadAll,
        optional=True,
        headers=OfPage,
        errors=(UnknownToast,),
    ),
)
def read_all() -> Response:
    """Note that everything was read, or one toast and all before it."""
    kit, user_id = _changing()
    up_to = read_up_to(kit.config)
    count = kit.toasts.read_all(user_id, up_to=up_to, exclude=own_connection())
    return answer(AllRead(count, kit.toasts.unread_count(user_id)))


def _changing() -> tuple[Kit, str]:
    return current_kit(), current_principal().user_id
