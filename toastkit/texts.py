"""What somebody might take a text for that is only a name."""

from __future__ import annotations

import re
from urllib.parse import unquote

_SEPARATORS = re.compile(r"[/\\]")


def plain(text: str) -> bool:
    """Tell whether a text is printable, and still is for whoever decodes its percent signs.

    It may end in a header or a log, where another line would be somebody else's.
    """
    return text.isprintable() and unquote(text).isprintable()


def parts(text: str) -> list[str]:
    """Return the parts a text has for whoever takes it for a path, decoded or not."""
    return _SEPARATORS.split(unquote(text))


def climbs(text: str) -> bool:
    """Tell whether a text leads elsewhere when it is taken for a path, like ``a/../b``."""
    return not {".", ".."}.isdisjoint(parts(text))
