"""Docstrings as readers of the document need them."""

from __future__ import annotations

import inspect
import re
from typing import Any

_CONTRACT = re.compile(r" ?\([A-Z]\.?[0-9][A-Z0-9.,\- ]*\)")
"""Where our own documents say it; whoever reads this one has no use for that."""
_CODE = re.compile(r"``([^`]+)``")


def plain(text: str) -> str:
    """Write a docstring's text in Markdown, a paragraph a line."""
    said = _CODE.sub(r"`\1`", _CONTRACT.sub("", text))
    return "\n\n".join(" ".join(part.split()) for part in said.split("\n\n"))


def words(said: Any) -> tuple[str, str]:
    """Return the first line of a docstring, and the rest; what nobody may know is left out."""
    text = inspect.getdoc(said) or ""
    first, _, rest = plain(text.partition("\n\nRaises:")[0]).partition("\n\n")
    return first.rstrip("."), rest
