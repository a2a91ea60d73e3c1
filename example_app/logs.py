"""How the service writes its log: for people, or (``LOG_FORMAT=json``) for programs."""

from __future__ import annotations

import logging
from typing import Any

from gunicorn.glogging import Logger

from toastkit.errors import StorageUnavailable
from toastkit.logs import JsonFormatter
from toastkit.storage.trouble import with_cause

NAME = "example_app"
TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class JsonLogger(Logger):  # type: ignore[misc]
    """Write what gunicorn has to say as the service's own log is written."""

    def setup(self, cfg: Any) -> None:
        """Make gunicorn's handlers, wherever its settings lead them."""
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.setFormatter(JsonFormatter())


def is_json(chosen: str | None) -> bool:
    """Tell what ``LOG_FORMAT`` chooses; a wrong value is told as text."""
    return (chosen or "").strip() == "json"


def set_up(*, json: bool) -> None:
    """Have everything written to stderr in one way, warnings too."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if json else logging.Formatter(TEXT))
    logging.basicConfig(handlers=[handler])
    logging.captureWarnings(json)


def refusal(error: Exception, *, json: bool) -> str:
    """Return why the service does not start, as one line; a database's own words are in it."""
    text = with_cause(error) if isinstance(error, StorageUnavailable) else str(error)
    return line(text, json=json)


def line(text: str, *, json: bool, level: int = logging.ERROR) -> str:
    """Return a word of the service itself, such as why it does not start, as one line."""
    if not json:
        return f"{NAME}: {text}"
    record = logging.LogRecord(NAME, level, "", 0, "%s", (" ".join(text.split()),), None)
    return JsonFormatter().format(record)
