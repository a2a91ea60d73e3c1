"""Where an app's toasts are kept when nobody names a database."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import weakref
from pathlib import Path

from flask import Flask

from toastkit.errors import ConfigError

PLUGIN = "toastkit_pytest"
"""What every run of pytest has imported; an app that serves imports nothing that is for tests."""

_SQLITE = "sqlite:///"

_apps: weakref.WeakValueDictionary[str, Flask] = weakref.WeakValueDictionary()
"""By instance folder the first app that keeps its toasts there."""


def default(app: Flask) -> str:
    """Return the URL of a file in the app's instance folder; of one that is passing, in a test.

    What a test publishes would be told to whoever develops the app in another window, and found
    by the next run.

    Raises:
        ConfigError: the instance folder cannot be made.
    """
    if app.testing or PLUGIN in sys.modules:
        return passing(app)
    folder = Path(app.instance_path)
    _warn_if_shared(app)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"the instance folder cannot be made ({error}): set TOASTKIT_DATABASE_URL"
        ) from error
    return f"{_SQLITE}{folder / 'toastkit.db'}"


def _warn_if_shared(app: Flask) -> None:
    other = _apps.setdefault(app.instance_path, app)
    if other.name != app.name:
        app.logger.warning(
            "the apps %s and %s keep their toasts in one file, in the same instance folder, so user "
            "1 of one is user 1 of the other: set TOASTKIT_DATABASE_URL of one of them",
            other.name,
            app.name,
        )


def passing(app: Flask) -> str:
    """Return the URL of a file that is deleted with the app, or when this process ends."""
    folder = tempfile.mkdtemp(prefix="toastkit-")
    weakref.finalize(app, _delete, folder, os.getpid())
    return f"{_SQLITE}{folder}/toastkit.db"


def _delete(folder: str, made_by: int) -> None:
    # A child that was forked ends before its parent does.
    if os.getpid() == made_by:
        shutil.rmtree(folder, ignore_errors=True)
