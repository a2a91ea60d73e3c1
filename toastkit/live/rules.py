"""Who may hear what: the namespace first, then the host's own word."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext

from ..errors import TopicNotAllowed
from ..hooks import Hooks
from ..topics import Topic

Context = Callable[[], AbstractContextManager[object]]
"""Enter what a host hook needs around it, such as an app context."""


class Rules:
    """Decide which topics a principal may hear (A5, A24)."""

    def __init__(self, hooks: Hooks, context: Context = nullcontext) -> None:
        self._hooks = hooks
        self._context = context

    @property
    def ask_host(self) -> bool:
        """Tell whether the host has a say, so that asking may block."""
        return self._hooks.authorize is not None

    def in_namespace(self, user_id: str, text: str) -> bool:
        """Tell whether a topic is one, and within reach of a principal; asks nobody."""
        try:
            return Topic.parse(text).open_to(user_id)
        except TopicNotAllowed:
            return False

    def accepted(self, user_id: str, wanted: Iterable[str]) -> tuple[str, ...]:
        """Return the topics a principal may hear, once each, in order. May block in the hook."""
        near = (text for text in wanted if self.in_namespace(user_id, text))
        texts = tuple(dict.fromkeys(near))
        authorize = self._hooks.authorize
        if authorize is None or not texts:
            return texts
        with self._context():
            return tuple(text for text in texts if authorize(user_id, "subscribe", text) is True)
