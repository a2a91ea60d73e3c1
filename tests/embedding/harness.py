"""Make of each host the app before toastkit and the app after, and run its tests on either."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOSTS = Path(__file__).parent / "hosts"
MARK = re.compile(r"[ \t]*(?:# toastkit|// toastkit|\{# toastkit #\})$")
SOURCES = {".py", ".html", ".js", ".cfg"}
OWN, TOASTS = "tests", "toasts"
"""What a host tested before it had toasts, and what it tests besides since."""

# A test run of the host's own: what else is installed here is not installed there.
PLAIN = ("-p", "no:cacheprovider")
PLUGIN = ("-p", "toastkit_pytest")
PASSED = re.compile(r"^(\w+)/.* PASSED", re.MULTILINE)


@dataclass(frozen=True)
class Host:
    """One host: its source, whose lines for toastkit are marked."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    def sources(self) -> list[Path]:
        """List what is its app, without its tests."""
        return sorted(
            path
            for path in self.folder.rglob("*")
            if path.suffix in SOURCES and self._is_source(path)
        )

    def _is_source(self, path: Path) -> bool:
        within = path.relative_to(self.folder).parts
        return within[0] not in (OWN, TOASTS, "conftest.py") and "__pycache__" not in within

    def added(self) -> list[tuple[str, str]]:
        """List the marked lines with their files, their marks taken off."""
        return [
            (str(path.relative_to(self.folder)), MARK.sub("", line))
            for path in self.sources()
            for line in path.read_text().splitlines()
            if MARK.search(line)
        ]

    def shown(self) -> str:
        """Write the marked lines as the documentation shows them, file by file."""
        lines, file = [".. code-block:: diff", ""], ""
        for name, line in self.added():
            if name != file:
                lines += [f"   @@ {name} @@"]
                file = name
            lines.append(f"   +{line}")
        return "\n".join(lines) + "\n"

    def before(self, place: Path) -> Path:
        """Copy the host as it was."""
        copy = self.after(place)
        shutil.rmtree(copy / TOASTS)
        for path in Host(copy).sources():
            lines = path.read_text().splitlines(keepends=True)
            path.write_text("".join(line for line in lines if not MARK.search(line.rstrip("\n"))))
        return copy

    def after(self, place: Path) -> Path:
        """Copy the host as it is."""
        ignore = shutil.ignore_patterns("__pycache__", "instance")
        return Path(shutil.copytree(self.folder, place / self.name, ignore=ignore))


def every() -> list[Host]:
    """Return every host."""
    return [Host(folder) for folder in sorted(HOSTS.iterdir()) if (folder / OWN).is_dir()]


def run(folder: Path, *arguments: str, **environment: str) -> Counter[str]:
    """Run tests in a copy of a host, and count those of each folder; each warning is an error."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    quiet = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    path = os.pathsep.join([str(folder), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-v", "-W", "error", *PLAIN, *arguments],
        cwd=folder,
        env={**known, **quiet, "PYTHONPATH": path, **environment},
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Counter(PASSED.findall(done.stdout))
