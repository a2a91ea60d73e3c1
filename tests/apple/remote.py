"""An Apple in a process of its own, for those who need all of theirs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]


class RemoteApple:
    """Run ``python -m tests.apple`` from ``with`` to its end; ``ask`` one of its commands."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "tests.apple", str(folder)]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process = subprocess.Popen(command, cwd=ROOT, **pipes)
        self._config = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    @property
    def pid(self) -> int:
        return self._process.pid

    def config(self) -> dict[str, Any]:
        """Return the settings of toastkit that send pushes there."""
        return dict(self._config)

    def environ(self) -> dict[str, str]:
        """Return them as variables of an environment."""
        return {f"TOASTKIT_{name.upper()}": str(value) for name, value in self._config.items()}

    def ask(self, name: str, *arguments: object) -> Any:
        """Give one of ``tests.apple.__main__.Commands`` and return what it returned."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([name, *arguments]) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "Apple has gone"
        return json.loads(line)
