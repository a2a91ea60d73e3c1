"""The pages of the documentation, the Python they show, and a place to run it in."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = {path.relative_to(DOCS).as_posix(): path.read_text() for path in DOCS.rglob("*.rst")} | {
    "README.md": (ROOT / "README.md").read_text()
}
HOWTOS = sorted(page for page in PAGES if page.startswith("howto/"))
TEXT = "\n".join(PAGES.values())


def blocks(page: str, language: str) -> list[tuple[str, str]]:
    """Return a page's blocks of one language, each with the file it says it is, or ''."""
    if page.endswith(".md"):
        shape = rf"^```{language}\n()(.*?)^```$"
    else:
        options = r"(?:   :caption: (\S+)\n)?"
        shape = rf"^\.\. code-block:: {language}\n{options}\n((?:   [^\n]*\n|\n)+)"
    found = re.findall(shape, PAGES[page], re.DOTALL | re.MULTILINE)
    return [(name, textwrap.dedent(code)) for name, code in found]


def modules(page: str, language: str = "python") -> dict[str, str]:
    """Return the code a page shows by file name; blocks that name no file are one, under ''."""
    found: dict[str, str] = {}
    for name, code in blocks(page, language):
        found[name] = found.get(name, "") + code + "\n"
    return found


def python(page: str) -> str:
    """Return what a page shows outside files that it names, one block after the other."""
    return modules(page).get("", "")


def furnish(page: str, place: Path) -> Path:
    """Write a page's Python to ``example.py``, beside the files it and its neighbours share."""
    shared = modules("howto/app.rst") if page in HOWTOS else {}
    for name, code in {**shared, **modules(page)}.items():
        # A class looks up its module, so the code needs a real one that is not __main__.
        (place / (name or "example.py")).write_text(code)
    return place


def run(code: str, place: Path, **environment: str) -> str:
    """Run Python in a process of its own, in this folder; return what it printed."""
    known = {"PATH": os.environ["PATH"], "HOME": str(place), "PYTHONPATH": f"{place}:{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=known | environment,
        cwd=place,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
