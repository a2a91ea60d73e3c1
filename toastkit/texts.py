"""Whether a name is safe where others may read it as a path, a header or a line of a log."""

from __future__ import annotations

import re
from urllib.parse import unquote

_SEPARATORS = re.compile(r"[/\\]")


def plain(text: str) -> bool:
    """Tell whether a text is printable, and still is for whoever decodes its percent signs.

    In a header or a log a line break would forge another line.
    """
    return text.isprintable() and unquote(text).isprintable()


def parts(text: str) -> list[str]:
    """Return the parts a text has for whoever takes it for a path, decoded or not."""
    return _SEPARATORS.split(unquote(text))


def climbs(text: str) -> bool:
    """Tell whether a text leads elsewhere when it is taken for a path, like ``a/../b``."""
    return not {".", ".."}.isdisjoint(parts(text))
