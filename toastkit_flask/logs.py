"""Keep tickets out of access logs: they travel in the gateway's URL."""

from __future__ import annotations

import logging
import re
from typing import Any

HIDDEN = "?[hidden]"
_QUERY = re.compile(r"(/v1/realtime)\?[^\s\"']*")
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
    return _QUERY.sub(rf"\1{HIDDEN}", value) if isinstance(value, str) else value


def _hide_atoms(atoms: dict[str, Any]) -> None:
    # gunicorn gives the query string an atom of its own, and each environ value one more.
    query = atoms.get("q") if str(atoms.get("U", "")).endswith("/v1/realtime") else None
    for name, value in list(atoms.items()):
        atoms[name] = "-" if query and value == query else _hide(value)


_HIDE_TICKETS = HideTickets()
