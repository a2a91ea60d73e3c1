"""The scripts that Redis runs: one step each, whoever else is at work."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from importlib.resources import files


@dataclass(frozen=True)
class Script:
    """Hold a script's text and what Redis calls it."""

    text: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, "sha", digest)


def load(name: str) -> Script:
    """Read one of our scripts."""
    return Script(files(__package__).joinpath("lua", f"{name}.lua").read_text("utf-8"))
