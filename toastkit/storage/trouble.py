"""Why a database cannot be used, in words for callers: without paths or SQL."""

from __future__ import annotations

from ..errors import StorageUnavailable


class Locked(StorageUnavailable):
    """Somebody else holds what is needed; the next attempt may succeed."""


class Lost(Locked):
    """The connection is gone; the next attempt opens another, and may succeed."""


class Silent(Lost):
    """The server gave no answer in all the time there was: asking again would take as long."""


SILENT = "08TKT"
"""Our own code for that, beside PostgreSQL's codes for lost connections (class 08)."""

LOCKED = (
    "the database is locked by another process, or by a transaction of this one; nothing was kept"
)


def cause(error: BaseException) -> str:
    """Return what a database said, in one line: for logs, not for callers."""
    found = error.__cause__ or error
    return " ".join(str(getattr(found, "orig", found)).split())


def with_cause(error: StorageUnavailable) -> str:
    """Return what callers are told and, for logs, why: a lock explains itself."""
    explained = isinstance(error, Locked) and not isinstance(error, Lost)
    return str(error) if explained or error.__cause__ is None else f"{error} ({cause(error)})"
