"""Keep tickets out of access logs: they travel in the gateway's URL."""

from __future__ import annotations

import logging
import re
from typing import Any
from urllib.parse import unquote

HIDDEN = "?[hidden]"
_WORD = re.compile(r"\S+")
_GATEWAY = re.compile(r"/v1/+realtime")
_QUERY = re.compile(r"(?:[?#;]|%3f|%23|%3b).*?(\"?)$", re.IGNORECASE)
"""What follows a path, however it was written, but for the quote that ends a Referer."""

_LOGGERS = ("werkzeug", "gunicorn.access")


class HideTickets(logging.Filter):
    """Cut the query string off every request line of the gateway."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, dict):
            _hide_atoms(record.args)
        elif isinstance(record.args, tuple):
            record.args = tuple(_hide(value) for value in record.args)
        record.msg = _hide(record.msg)
        return True


def install() -> None:
    """Hide tickets from the access logs of werkzeug and gunicorn; calling it twice is harmless."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_HIDE_TICKETS)


def _hide(value: Any) -> Any:
    if not isinstance(value, str) or not _is_gateway(value):
        return value
    return _WORD.sub(_hide_in_word, value)


def _hide_in_word(word: re.Match[str]) -> str:
    # A ticket sent to a misspelt gateway opens the real one all the same.
    text = word[0]
    return _QUERY.sub(rf"{HIDDEN}\1", text, count=1) if _is_gateway(text) else text


def _is_gateway(text: str) -> bool:
    return bool(_GATEWAY.search(unquote(text).casefold()))


def _hide_atoms(atoms: dict[str, Any]) -> None:
    # gunicorn gives the query string an atom of its own, and each environ value one more.
    query = atoms.get("q") if _is_gateway(str(atoms.get("U", ""))) else None
    for name, value in list(atoms.items()):
        atoms[name] = "-" if query and value == query else _hide(value)


_HIDE_TICKETS = HideTickets()
