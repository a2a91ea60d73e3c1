"""A host that has toastkit's tables in its own database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sqlalchemy import Engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from ..errors import ConfigError

Db: TypeAlias = "Session | scoped_session[Any] | Literal['auto'] | None"
"""Which transaction a publish joins: that of a session, of the current session if it has
uncommitted writes (``"auto"``), or none."""


@dataclass(frozen=True, slots=True)
class Host:
    """Name the sessions a host works with; its database has toastkit's tables, its migrations too.

    ``sessions`` is what the sessions come from; ``current`` returns the one the caller is working
    with, or ``None``, and makes none. Of a ``scoped_session`` that is known already. ``engine``:
    that of the database, where it is not the one the sessions are bound to. ``beside``: the database
    is one that toastkit cannot share, such as one in memory, so it has its own. A toast is published
    there after the commit then: a rollback discards it, one to a SAVEPOINT does not.

    Raises:
        ConfigError: ``current`` is missing.
    """

    sessions: scoped_session[Any] | sessionmaker[Any] | type[Session]
    current: Callable[[], Session | None] | None = None
    engine: Engine | None = None
    beside: bool = False

    def __post_init__(self) -> None:
        if self.current is None and not isinstance(self.sessions, scoped_session):
            raise ConfigError(
                "Host(sessions) must be a scoped_session; with anything else say which session is "
                "the caller's: Host(sessions, current=function)"
            )

    def session(self) -> Session | None:
        """Return the session the caller is working with, if there is one."""
        if self.current is not None:
            return self.current()
        assert isinstance(self.sessions, scoped_session)
        return self.sessions() if self.sessions.registry.has() else None

    def bound_to(self) -> Engine | None:
        """Return the engine of the database, if it is known."""
        if self.engine is not None or isinstance(self.sessions, type):
            return self.engine
        made_by = getattr(self.sessions, "session_factory", self.sessions)
        bind = getattr(made_by, "kw", {}).get("bind")
        return bind if isinstance(bind, Engine) else None
