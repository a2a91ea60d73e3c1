"""gevent: what it has replaced in this process, and whether that was early enough."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator

from . import probe
from .findings import Finding, fail, info, ok, warn
from .patient import Facts, GeventFacts, Patient

NAME = "gevent"

COMMAND = frozenset(
    {
        *("asgiref", "blinker", "click", "cryptography", "dotenv", "flask", "importlib_metadata"),
        *("itsdangerous", "jinja2", "markupsafe", "werkzeug", "watchdog", "alembic", "limits"),
        *("mako", "msgspec", "psycopg", "psycopg_binary", "sqlalchemy", "toastkit"),
        *("toastkit_flask", "typing_extensions", "ulid", "_pytest", "pkg_resources"),
        *("pytest", "setuptools"),
    }
)
"""What a command has imported before the app, other than a server would."""

REMEDY = "put this first, before any import: from gevent import monkey; monkey.patch_all()"


def gather(_patient: Patient) -> GeventFacts:
    """Look at this process, in which the app was imported."""
    try:
        version = importlib.metadata.version("gevent")
    except importlib.metadata.PackageNotFoundError:
        return GeventFacts()
    patched = tuple(probe.patched())
    early = probe.early(probe.QUIET | COMMAND) if patched else []
    return GeventFacts(version, patched, tuple(early))


def check(facts: Facts) -> Iterator[Finding]:
    """Say whether what the settings, the app and the server do fits together."""
    here, runtime = facts.gevent, facts.patient.config.runtime
    if here is None:
        return
    green = _is_green(facts)
    if not here.version:
        if runtime == "gevent" or green:
            yield fail(NAME, "it is asked for, and not installed", "pip install 'toastkit[gevent]'")
        return
    yield from _check_here(here, green=green)
    if runtime == "gevent" and (green is False or (green is None and not here.patched)):
        yield (fail if green is False else warn)(
            NAME,
            "TOASTKIT_RUNTIME=gevent, but nothing says that gevent replaces sockets and locks "
            "where the app is served",
            "serve with gunicorn -k gevent, or leave the setting at auto",
        )
    if runtime == "threads" and (green or here.patched):
        yield fail(
            NAME,
            "TOASTKIT_RUNTIME=threads, but gevent replaces the threads it needs",
            "leave the setting at auto",
        )


def _check_here(here: GeventFacts, *, green: bool | None) -> Iterator[Finding]:
    if not here.patched:
        if green:
            yield ok(NAME, f"gevent {here.version}: the worker replaces sockets and locks")
        return
    missing = [name for name in probe.MODULES if name not in here.patched]
    if missing:
        yield fail(
            NAME, f"the app lets gevent replace all but {', '.join(missing)}", "patch_all() alone"
        )
    if green is False:
        yield fail(
            NAME,
            "the app lets gevent replace sockets, but its worker class is none of gevent's: such "
            "workers reset connections",
            "serve with gunicorn -k gevent, or take monkey.patch_all() out",
        )
    if here.early:
        yield warn(
            NAME,
            f"imported before gevent replaced what they keep: {', '.join(here.early[:5])}",
            REMEDY,
        )
    elif not missing and green is not False:
        yield info(NAME, f"gevent {here.version} has replaced sockets and locks in this app")


def _is_green(facts: Facts) -> bool | None:
    """Tell whether workers are gevent's; ``None``: nobody has said."""
    server = facts.gunicorn
    if server is None or not server.worker_class:
        return None
    return "gevent" in server.worker_class.lower()
