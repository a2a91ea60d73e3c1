"""Who may pass a door: said where a path is declared, and kept by the door itself."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


class Policy(Enum):
    """Say who may pass; the value says it to a reader."""

    OPEN = "anybody"
    PRINCIPAL = "whoever is known, by session, JWT or login; anonymous sessions too"
    USER = "whoever is known and has signed in"
    PROVIDER = "the bearer of the identity provider's own token"
    SESSION = "the bearer of an opaque session"
    PUBLISHER = "the bearer of the publish secret"
    TICKET = "the holder of a ticket; who has none is told so in a frame"


def declared(policy: Policy) -> Callable[[View], View]:
    """Say of a view of the host who may reach it, where something else sees to that."""

    def declare(view: View) -> View:
        view.toastkit_policy = policy  # type: ignore[attr-defined]
        return view

    return declare
