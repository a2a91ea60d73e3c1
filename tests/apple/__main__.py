"""Be Apple in a process of its own: ``python -m tests.apple FOLDER``, which gets a key and a CA.

The first line it writes is the settings of toastkit that send pushes here, as JSON. Then it reads
commands, ``[name, argument, …]`` a line, and answers each with a line; at the end of its input it
ends.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.apple.answers import Answer
from tests.apple.chaos import Chaos
from tests.apple.papers import Papers
from tests.apple.server import Apple


class Commands:
    """What may be asked of an Apple that is elsewhere."""

    def __init__(self, apple: Apple) -> None:
        self._apple = apple

    def always(self, answer: dict[str, Any] | None, token: str | None = None) -> None:
        self._apple.always(None if answer is None else Answer(**answer), token)

    def chaos(self, seed: int, share: float, goaway_every: int) -> None:
        self._apple.goaway_every = goaway_every
        self._apple.decide = Chaos(seed, share)

    def count(self) -> int:
        return len(self._apple.requests)

    def wait(self, many: int, seconds: float) -> int:
        return len(self._apple.wait(many, seconds))

    def taken(self) -> Counter[str]:
        return self._apple.taken()

    def faults(self) -> list[str]:
        return self._apple.faults()

    def connections(self) -> int:
        return self._apple.connections

    def leave(self) -> None:
        self._apple.leave()

    def come_back(self) -> None:
        self._apple.come_back()

    def freeze(self) -> None:
        self._apple.freeze()

    def thaw(self) -> None:
        self._apple.thaw()


def main(folder: str) -> None:
    """Serve until the input ends."""
    place = Path(folder).resolve()
    place.mkdir(exist_ok=True)
    with Apple(Papers(place)) as apple:
        commands = Commands(apple)
        print(json.dumps(apple.config()), flush=True)
        for line in sys.stdin:
            name, *arguments = json.loads(line)
            print(json.dumps(getattr(commands, name)(*arguments)), flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.apple FOLDER")
    main(sys.argv[1])
