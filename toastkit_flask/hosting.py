"""Live in the host's database: its URL, its metadata, its migrations, its sessions."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Flask, current_app, has_app_context
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

from toastkit import Host
from toastkit.config import PREFIX, sources
from toastkit.errors import ConfigError
from toastkit.storage.tables import metadata

from .state import KEY

APP_CONFIG = "app.config"

_DEFAULT_PLACE = "the app's instance folder"

_DRIVER = {"postgresql": "postgresql+psycopg", "sqlite": "sqlite"}
"""The drivers toastkit's own connections use, whatever the host's do."""


def database_url(app: Flask, db: Any) -> str | None:
    """Return the URL of a Flask-SQLAlchemy's default database; ``None``: it is in memory.

    Raises:
        ConfigError: there is none, none that toastkit works with, or it is not set up on this app.
    """
    if not hasattr(type(db), "engines") or not hasattr(type(db), "metadata"):
        raise ConfigError(
            f"db= must be Flask-SQLAlchemy's object (db = SQLAlchemy(), 3.1 or newer), "
            f"not {type(db).__name__}"
        )
    try:
        with app.app_context():
            engine = db.engines.get(None)
    except RuntimeError as error:
        remedy = "call db.init_app(app) before ToastKit(app, db=db) or init_app(app)"
        raise ConfigError(remedy) from error
    if engine is None:
        raise ConfigError("db has no default database: set SQLALCHEMY_DATABASE_URI")
    if _is_in_memory(engine.url):
        return None
    return _own(engine.url).render_as_string(hide_password=False)


def _is_in_memory(url: URL) -> bool:
    if url.get_backend_name() != "sqlite":
        return False
    name = url.database or ":memory:"
    return ":memory:" in name or url.query.get("mode") == "memory"


def _own(url: URL) -> URL:
    if url.get_backend_name() not in _DRIVER:
        raise ConfigError(
            f"db works with {url.get_backend_name()}, which toastkit does not: leave db= out, and "
            "the toasts are kept in a database of their own (SQLite or PostgreSQL, "
            "TOASTKIT_DATABASE_URL)"
        )
    return url.set(drivername=_DRIVER[url.get_backend_name()])


def warn_of_migrations(app: Flask, url: str) -> None:
    """Warn where an app's own migrations find tables in its database that it knows nothing of."""
    # Flask-Migrate may be set up on this app later; that it is imported is enough to say so.
    uri = app.config.get("SQLALCHEMY_DATABASE_URI")
    if "flask_migrate" in sys.modules and uri and _place(app, uri) == _place(None, url):
        app.logger.warning(
            "TOASTKIT_DATABASE_URL is this app's own database, and its migrations would drop "
            "toastkit's tables (flask db migrate): leave it out and write ToastKit(app, db=db)"
        )


def _place(app: Flask | None, uri: Any) -> tuple[object, ...] | None:
    """Return which database a URL means; the relative path of an app's is in its instance folder."""
    try:
        url = make_url(uri)
    except ArgumentError:
        return None  # the app's own to say
    if url.get_backend_name() != "sqlite":
        return (url.get_backend_name(), url.host, url.port or 5432, url.database)
    return (os.path.abspath(os.path.join(app.instance_path if app else "", url.database or "")),)


def add_tables(db: Any) -> None:
    """Put toastkit's tables among the host's, for its migrations and ``create_all``."""
    theirs = db.metadata
    # toastkit's statements look for them in no schema of the host's own.
    schema, theirs.schema = theirs.schema, None
    try:
        for name, table in metadata.tables.items():
            if name not in theirs.tables:
                table.to_metadata(theirs)
    finally:
        theirs.schema = schema


def host(app: Flask, db: Any) -> Host:
    """Name the sessions of an app; the current one is that of the app's current context."""

    def current() -> Session | None:
        # Not before somebody has used it: a session is made at the first look otherwise. Another
        # app's session works on another database.
        if not has_app_context() or current_app._get_current_object() is not app:  # type: ignore[attr-defined] # noqa: SLF001
            return None
        session: Session | None = db.session() if db.session.registry.has() else None
        return session

    with app.app_context():
        engine = db.engines[None]
    return Host(db.session, current, engine, beside=_is_in_memory(engine.url))


def ensure_app(app: Any) -> None:
    """Make sure that an app was given, and one that toastkit is not set up on.

    Raises:
        ConfigError: it is something else, or toastkit is.
    """
    if not isinstance(app, Flask):
        raise ConfigError(
            f"ToastKit takes a Flask app, not {type(app).__name__}: ToastKit(app, db=db), or "
            "ToastKit(db=db) and init_app(app)"
        )
    if KEY in app.extensions:
        raise ConfigError(
            f"toastkit is set up on {app.name!r} already: use either ToastKit(app) or "
            "init_app(app), once for each app"
        )


def settings(app: Flask) -> dict[str, Any]:
    """Return what an app's configuration says to toastkit by now."""
    return {name: value for name, value in app.config.items() if name.startswith(PREFIX)}


def sources_of(app: Flask, given: Iterable[str], *, db: bool) -> dict[str, str]:
    """Return where each setting of an app is said, of those ``given`` to ToastKit too."""
    found = {name: f"ToastKit({name}=...)" for name in given}
    found = {"database_url": _DEFAULT_PLACE} | found | sources(app.config, APP_CONFIG)
    return found | ({"database_url": "ToastKit(db=...)"} if db else {})


def is_default_place(sources: Mapping[str, str]) -> bool:
    """Tell whether nobody has said where toasts are kept."""
    return sources.get("database_url") == _DEFAULT_PLACE


def warn_of_late_settings(app: Flask, known: dict[str, Any]) -> None:
    """Warn about settings that came, or changed, after those that count."""
    now = settings(app)
    late = sorted(name for name in known.keys() | now.keys() if known.get(name) != now.get(name))
    if late:
        app.logger.warning(
            "%s changed after ToastKit(app) or init_app(app) and does not count: set it before",
            ", ".join(late),
        )


def names_database(app: Flask, settings: dict[str, Any]) -> bool:
    """Tell whether anybody has named a database for toastkit."""
    return bool(app.config.get(PREFIX + "DATABASE_URL") or settings.get("database_url"))


def ensure_only_one(app: Flask, settings: dict[str, Any]) -> None:
    """Make sure that nobody names a second database.

    Raises:
        ConfigError: it was named.
    """
    if names_database(app, settings):
        raise ConfigError(
            "TOASTKIT_DATABASE_URL and db= name two databases: leave one of them out; with db= "
            "toastkit uses the host's"
        )
