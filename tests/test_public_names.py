"""What other people's code leans on does not change by accident."""

from __future__ import annotations

import pytest

from tests.publicity import KEPT, public

pytestmark = pytest.mark.plain

ADDED = """
These names are public now and were not. If that is meant, they are a promise from the next version
on: write them into tests/public_names.txt (python -m tests.publicity does) and into CHANGELOG.md.
"""
GONE = """
These public names are gone, or their arguments are others. Somebody's program breaks: let the old
name, or the old argument, work with a DeprecationWarning first, and for as long as
docs/upgrading.rst says. Then take the line out of tests/public_names.txt, and say so in CHANGELOG.md
under "Removed". (An argument that is new and may be left out breaks nobody: change the line.)
"""


def told(kept: list[str], here: list[str]) -> str:
    """Return what there is to say about a list of names, against the one that was promised."""
    added = [f"+ {line}" for line in here if line not in kept]
    gone = [f"- {line}" for line in kept if line not in here]
    parts = ((GONE, gone), (ADDED, added))
    return "".join("\n".join([text, *lines, ""]) for text, lines in parts if lines)


def test_the_public_names_are_those_that_were_promised() -> None:
    problem = told(KEPT.read_text().splitlines(), public())
    assert not problem, problem


def test_a_new_name_is_told_with_what_to_do() -> None:
    text = told(["toastkit.a()"], ["toastkit.a()", "toastkit.b()"])
    assert "+ toastkit.b()" in text
    assert "python -m tests.publicity" in text
    assert "DeprecationWarning" not in text


def test_a_name_that_is_gone_needs_a_deprecation_first() -> None:
    text = told(["toastkit.a(x)"], ["toastkit.a(y)"])
    assert "- toastkit.a(x)" in text
    assert "DeprecationWarning" in text


def test_the_list_is_the_same_every_time() -> None:
    assert public() == public()
    assert not [line for line in public() if " at 0x" in line]
