"""What views answer, where no other struct says it already."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from toastkit.dialects.shapes import Moment, ToastId
from toastkit.health import Degraded


class SessionOpened(Struct, frozen=True):
    """A fresh session. Treat the token like a password."""

    token: str
    expires_in: Annotated[int, Meta(description="Seconds.")]
    device_secret: (
        Annotated[str, Meta(description="Given once; later bodies of this device must carry it.")]
        | UnsetType
    ) = UNSET


class SessionClosed(Struct, frozen=True):
    """The session has ended."""

    success: bool


class SessionsClosed(Struct, frozen=True):
    """Sessions have ended, and how many."""

    success: bool
    sessions: int


class Plan(Struct, frozen=True):
    """A plan, and what of it has been used. A host may add fields."""

    plan: str
    credits_used: float
    credits_total: float


class Profile(Plan, frozen=True):
    """Who somebody is, as far as the host knows. A host may add fields."""

    name: str | None
    email: str | None


class Account(Struct, frozen=True):
    """What an app needs to know of its user when it starts."""

    profile: Profile
    subscription: Plan
    secrets: Annotated[dict[str, bool], Meta(description="Which secrets were deposited.")]


class Bootstrapped(Struct, frozen=True):
    """A ticket, and the WebSocket it opens. Treat both like a password."""

    token: str
    ws_url: Annotated[str, Meta(extra_json_schema={"format": "uri"})]
    expires_at: Moment
    default_topics: Annotated[
        tuple[str, ...], Meta(description="The topics that are heard from the first moment.")
    ]


class Registered(Struct, frozen=True):
    """A device is known."""

    registered: bool
    device_id: str
    apns_fallback_enabled: Annotated[
        bool, Meta(description="Whether a push could really be sent to it.")
    ]


class Removed(Struct, frozen=True):
    """A device is known no longer."""

    removed: bool
    device_id: str


class Marked(Struct, frozen=True):
    """A toast was marked; how many are unread now."""

    id: ToastId
    unread_count: int


class AllRead(Struct, frozen=True):
    """Toasts were marked as read, and how many; how many are unread now."""

    read: int
    unread_count: int


class Ready(Struct, frozen=True):
    """Requests can be served, though perhaps some of it in part only."""

    status: Literal["ok"]
    degraded: list[Degraded] | UnsetType = UNSET


class Mistake(Struct, frozen=True):
    """What is wrong with one field."""

    loc: list[str | int]
    msg: str
    type: str


class Error(Struct, frozen=True):
    """Why a request was refused.

    ``detail`` is what the API promises, ``code`` is stable and made for programs, ``message`` is
    for people and may change. ``errors`` says of a 422 which field is wrong.
    """

    detail: str
    code: str
    message: str
    errors: list[Mistake] | UnsetType = UNSET


class Document(Struct, frozen=True):
    """A document of OpenAPI 3.1."""

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]
