"""The log for programs: one JSON object a line."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

MOST_BYTES = 2048
"""The longest field; of a traceback its end, where the error is."""

_LOOKED_THROUGH = 4 * MOST_BYTES

_LARGE = 2**63

_SECRETS = re.compile(
    r"(\bbearer\s+|://[^\s/:@]*:(?=[^\s/@]*@)|[?&;](?:token|ticket|secret|password|code|(?:api_?)?key)=)"
    r"[^\s&;\"'@]+"
    r"|\bms_sess_[\w-]+|\beyJ[\w-]+\.[\w-]+\.[\w-]*",
    re.IGNORECASE,
)
"""What may stand in a text that somebody else wrote: bearers, passwords in URLs, tokens, JWTs."""

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Write each record as one line of printable ASCII, with every known kind of token cut out.

    ``time`` (UTC), ``level``, ``logger``, ``process`` and ``message``; of an exception ``error`` and
    ``traceback``; and whatever ``extra=`` names. A field has 2 kB at most.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": _field(record.getMessage()),
        }
        if record.exc_info and record.exc_info[0] is not None:
            fields["error"] = record.exc_info[0].__name__
            fields["traceback"] = _field(self.formatException(record.exc_info), end=True)
        for name, value in vars(record).items():
            if name not in _OWN and name not in fields:
                fields[name] = _plain(value)
        return _spelled(fields)


def _plain(value: Any) -> Any:
    # JSON has no NaN, and its readers no number of any length.
    number = isinstance(value, (int, float)) and abs(value) < _LARGE
    return value if number or value is None else _field(str(value))


def _field(text: str, *, end: bool = False) -> str:
    """Return what is shown of a text: without secrets, and not too much of it."""
    if len(text) > _LOOKED_THROUGH:
        # Not half a word: it may be half a token.
        text = (
            re.sub(r"^\S*", "…", text[-_LOOKED_THROUGH:])
            if end
            else re.sub(r"\S*$", "…", text[:_LOOKED_THROUGH])
        )
    text = _SECRETS.sub(r"\1[hidden]", text)
    while (size := len(_spelled(text))) > MOST_BYTES:
        most = len(text) * MOST_BYTES // size - 1
        text = f"…{text[-most:]}" if end else f"{text[:most]}…"
    return text


def _spelled(value: Any) -> str:
    # Printable ASCII: nothing that a terminal or a collector could take for the end of a line.
    return json.dumps(value)
