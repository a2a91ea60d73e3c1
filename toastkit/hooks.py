"""What the host may say: who is asking, and who may do what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Action = Literal["subscribe"]

UserLoader = Callable[[], Any]
"""Return the id of the user the current request belongs to, or ``None``."""

Authorize = Callable[[str, Action, str], bool]
"""Called with ``(user_id, action, topic)``; may refuse what the namespace rule allows."""


@dataclass(slots=True)
class Hooks:
    """Hold the host's hooks; a hook that is ``None`` is not asked."""

    user_loader: UserLoader | None = None
    authorize: Authorize | None = None
