"""The service's own doors: projects, usage, flags, and what an operator does to them."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, TypeVar

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from msgspec import Meta, Struct
from werkzeug.exceptions import HTTPException

from toastkit import Toast, events, principals, publish_control
from toastkit.dialects import read_body
from toastkit.dialects.shapes import Moment, UserId, text
from toastkit.errors import Invalid, StorageUnavailable
from toastkit_flask import current_principal, described, publisher_required, session_required
from toastkit_flask.answers import Plan
from toastkit_flask.bodies import answer, read_raw
from toastkit_flask.errors import tell_http
from toastkit_flask.state import current_kit

from .services.accounts import Accounts, Grant, NoCreditsLeft
from .services.flags import Flags
from .services.projects import Projects
from .services.toasts import publish_toast

T = TypeVar("T")

USAGE, FLAGS = "/v1/usage", "/v1/flags"
CONTROLS = {"usage.changed": USAGE, "flags.changed": FLAGS}
"""What is told of a change, and what a client fetches again then (A27)."""

KEPT = (StorageUnavailable,)
"""What a database may answer to all of them."""

MOST_NAME = 200
MOST_CREDITS = 1_000_000


class NewProject(Struct, frozen=True):
    """Name a project."""

    name: Annotated[
        str,
        text(
            f"1-{MOST_NAME} printable characters; spaces around it are taken off.",
            MOST_NAME,
            pattern=r"^ *[^ \x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^ \x00-\x1f\x7f])? *$",
        ),
    ]

    def checked(self) -> str:
        """Return the name.

        Raises:
            Invalid: it is none that a toast could tell.
        """
        name = self.name.strip(" ")  # not what else counts as white space: it is not printable
        if not name or not name.isprintable() or len(self.name) > MOST_NAME:
            raise Invalid(f"name must be 1-{MOST_NAME} printable chars", ("name",), "length")
        return name


class Credits(Struct, frozen=True):
    """Say who gets how many credits; with a ``grant_id`` sending it again does nothing."""

    user_id: UserId
    credits: Annotated[int, Meta(ge=1, le=MOST_CREDITS)]
    grant_id: Annotated[str, text("Which grant it is.")] | None = None


class Flag(Struct, frozen=True):
    """Name a flag and say how it stands."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,49}\Z")]
    enabled: bool


class Project(Struct, frozen=True):
    """A project of whoever asks."""

    id: str
    name: str
    created_at: Moment


class ProjectList(Struct, frozen=True):
    """Projects, newest first."""

    items: list[Project]


class FlagList(Struct, frozen=True):
    """Every flag that was ever set, by name."""

    flags: dict[str, bool]


@dataclass(frozen=True, slots=True)
class Services:
    """Hold what the doors lead to."""

    accounts: Accounts
    projects: Projects
    flags: Flags


def doors(services: Services) -> Blueprint:
    """Return the doors."""
    service = Blueprint("service", __name__)
    _of_users(service, services)
    _of_operators(service, services)
    service.register_error_handler(NoCreditsLeft, _no_credits_left)
    service.register_error_handler(HTTPException, tell_http)
    return service


def _of_users(service: Blueprint, services: Services) -> None:
    @service.get("/projects")
    @session_required
    @described("list_projects", ProjectList, errors=KEPT)
    def projects() -> Response:
        """List the projects of whoever asks, newest first."""
        return answer({"items": services.projects.list(current_principal().user_id)})

    @service.post("/projects")
    @session_required
    @described(
        "create_project",
        Project,
        201,
        body=NewProject,
        errors=KEPT,
        codes={402: ("no_credits_left",)},
    )
    def create() -> Response:
        """Make a project, which costs one credit; its user is shown a toast."""
        user_id, name = current_principal().user_id, _read(NewProject).checked()
        project = services.projects.create(user_id, name)
        _tell_of_project(user_id, name)
        return answer(project, 201)

    @service.get(USAGE)
    @session_required
    @described("get_usage", Plan, errors=KEPT)
    def usage() -> Response:
        """Return the plan of whoever asks, and what of it was used; see `usage.changed`."""
        return answer(services.accounts.subscription(current_principal().user_id))

    @service.get(FLAGS)
    @session_required
    @described("list_flags", FlagList, errors=KEPT)
    def flags() -> Response:
        """Return the feature flags, the same for everybody; see `flags.changed`."""
        return answer({"flags": services.flags.list()})


def _of_operators(service: Blueprint, services: Services) -> None:
    @service.post("/v1/admin/credits")
    @publisher_required
    @described("grant_credits", Plan, body=Credits, errors=KEPT)
    def grant() -> Response:
        """Give a user credits, at most once for each ``grant_id``."""
        wanted = _read(Credits)
        user_id = principals.user_id(wanted.user_id)
        id = events.key(wanted.grant_id, "grant_id") or str(uuid.uuid4())
        given = Grant(id, user_id, wanted.credits)
        if services.accounts.grant(given):
            publish_control("usage.changed", user_id=user_id)
        return answer(services.accounts.subscription(user_id))

    @service.post("/v1/admin/flags")
    @publisher_required
    @described("set_flag", FlagList, body=Flag, errors=KEPT)
    def set_flag() -> Response:
        """Set a feature flag, and tell everybody of it."""
        wanted = _read(Flag)
        services.flags.set(wanted.name, wanted.enabled)
        publish_control("flags.changed", {"name": wanted.name})
        return answer({"flags": services.flags.list()})


def _tell_of_project(user_id: str, name: str) -> None:
    # The project is kept, and the answer must say so, whether or not it can be told.
    with suppress(StorageUnavailable):
        publish_toast(user_id, Toast(title="Project created", body=name, style="success"))
    publish_control("usage.changed", user_id=user_id)


def _read(kind: type[T]) -> T:
    return read_body(read_raw(current_kit().config), kind)


def _no_credits_left(error: NoCreditsLeft) -> ResponseReturnValue:
    code = "no_credits_left"
    return answer({"detail": code, "code": code, "message": str(error)}, 402)
