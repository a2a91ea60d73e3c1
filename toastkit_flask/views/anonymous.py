"""Anonymous sessions, and what becomes of them at a sign-in (B7-B15)."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from msgspec import UNSET, Meta

from toastkit import ids
from toastkit.dialects import read_body
from toastkit.errors import AlreadyRebound, RebindClash, StorageUnavailable
from toastkit.identity.anonymous import read_device_id
from toastkit.records import Rebound

from ..answers import SessionOpened
from ..bodies import OfDevice, answer, read_raw
from ..door import Door
from ..guards import current_principal, limit
from ..operations import Operation
from ..policies import Policy
from ..state import current_kit

anonymous = Door("toastkit_anonymous")


_OF_DEVICE = Annotated[OfDevice, Meta(extra_json_schema={"required": ["device_id"]})]


@anonymous.post(
    "/auth/anonymous",
    policy=Policy.OPEN,
    rate="anonymous",
    operation=Operation(
        "begin_anonymous_session", SessionOpened, body=_OF_DEVICE, errors=(StorageUnavailable,)
    ),
)
def begin() -> Response:
    """Open a session of a device, without any sign-in."""
    kit = current_kit()
    body = read_body(read_raw(kit.config) or b"{}", OfDevice)
    limit("device", ids.token_hash(read_device_id(body.device_id)))
    token, _, secret = kit.identity.anonymous.begin(body.device_id, body.device_secret)
    seconds = kit.config.session_seconds
    return answer(SessionOpened(token, seconds, UNSET if secret is None else secret))


@anonymous.post(
    "/auth/rebind",
    policy=Policy.USER,
    rate="rebind",
    operation=Operation(
        "rebind", Rebound, body=_OF_DEVICE, errors=(AlreadyRebound, RebindClash, StorageUnavailable)
    ),
)
def rebind() -> Response:
    """Make everything of a device's anonymous principal the user's who asks."""
    kit, who = current_kit(), current_principal()
    body = read_body(read_raw(kit.config) or b"{}", OfDevice)
    return answer(kit.identity.anonymous.rebind(who.user_id, body.device_id, body.device_secret))
