"""One push as Apple got it, and what became of it there."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.apple.answers import Answer


@dataclass(kw_only=True)
class Request:
    """A request with its place: the ``link`` (connection) it came on, counted from 1, and stream.

    ``fault`` is what Apple found wrong with it; ``answer`` what was decided about it. ``answered``:
    the answer was given to the network; ``late``: after the farewell, where a client may not listen
    any more. ``lost``: the client may never have learned of it. Times are monotonic.
    """

    link: int
    stream: int
    headers: dict[str, str]
    doubled: frozenset[str] = frozenset()
    body: bytes = b""
    at: float = 0.0
    fault: str | None = None
    answer: Answer | None = None
    answered: float | None = None
    late: bool = False
    lost: bool = False
    number: int = 0
    parts: list[bytes] = field(default_factory=list, repr=False)

    @property
    def method(self) -> str:
        return self.headers[":method"]

    @property
    def path(self) -> str:
        return self.headers[":path"]

    @property
    def token(self) -> str:
        """Return the push token."""
        return self.path.rpartition("/")[2]

    @property
    def id(self) -> str:
        """Return the ``apns-id``."""
        return self.headers.get("apns-id", "")

    @property
    def taken(self) -> bool:
        """Tell whether the phone got it."""
        return self.answer is not None and self.answer.takes

    @property
    def json(self) -> Any:
        """Return the payload."""
        return json.loads(self.body)

    @property
    def sent(self) -> tuple[dict[str, str], bytes]:
        """Return what must be the same however often a push is repeated."""
        apns = {name: value for name, value in self.headers.items() if name.startswith("apns-")}
        return {**apns, ":path": self.path}, self.body
