"""How the service writes its log: for people, or (``LOG_FORMAT=json``) for programs."""

from __future__ import annotations

import logging
import logging.config
from typing import Any

from toastkit.logs import JsonFormatter

NAME = "example_app"
TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

_HANDLER = {"handlers": ["stderr"], "propagate": False}
JSON: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "toastkit.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    # Which of them are written, and whether there is an access log, gunicorn's own settings say.
    "loggers": {"gunicorn.error": _HANDLER, "gunicorn.access": _HANDLER},
}
"""``logging.config.dictConfig``'s, and gunicorn's ``logconfig_dict``."""


def is_json(chosen: str | None) -> bool:
    """Tell what ``LOG_FORMAT`` chooses; a wrong value is told as text."""
    return (chosen or "").strip() == "json"


def set_up(*, json: bool) -> None:
    """Have everything written to stderr in one way, warnings too."""
    if json:
        logging.config.dictConfig(JSON)
        logging.captureWarnings(True)
    else:
        logging.basicConfig(format=TEXT)


def line(text: str, *, json: bool, level: int = logging.ERROR) -> str:
    """Return a word of the service itself, such as why it does not start, as one line."""
    if not json:
        return f"{NAME}: {text}"
    record = logging.LogRecord(NAME, level, "", 0, "%s", (" ".join(text.split()),), None)
    return JsonFormatter().format(record)
