"""What the host may say: who is asking, who may do what, and what is known of a user."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Action = Literal["subscribe"]

UserLoader = Callable[[], Any]
"""Return the id of the user the current request belongs to, or ``None``."""

Authorize = Callable[[str, Action, str], bool]
"""Called with ``(user_id, action, topic)``; may refuse what the namespace rule allows."""

Facts = Callable[[str], Mapping[str, Any] | None]
"""Called with a user id, anonymous ones too; return what ``GET /auth/bootstrap`` tells (B6).

``None``, and every field that is missing, means the default.
"""

SignedIn = Callable[[str, Mapping[str, Any]], object]
"""Called with a user id and the verified claims whenever a session is opened (B1)."""


@dataclass(slots=True)
class Hooks:
    """Hold the host's hooks; a hook that is ``None`` is not asked.

    ``controls`` are the registered kinds of controls, each with the path to refetch (A27).
    """

    user_loader: UserLoader | None = None
    authorize: Authorize | None = None
    signed_in: SignedIn | None = None
    profile: Facts | None = None
    subscription: Facts | None = None
    secrets: Facts | None = None
    controls: dict[str, str] = field(default_factory=dict)
