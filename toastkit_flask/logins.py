"""The login the host has already."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from flask import Flask, current_app

from toastkit.errors import ConfigError
from toastkit.hooks import UserLoader


def has_flask_login(app: Flask) -> bool:
    """Tell whether Flask-Login is set up on an app."""
    return hasattr(app, "login_manager")


def flask_login_user() -> Any:
    """Return the id of Flask-Login's current user, or ``None`` where it is not set up."""
    if not has_flask_login(current_app):
        return None
    user = importlib.import_module("flask_login").current_user
    return user.get_id() if user.is_authenticated else None


def ensure_loader(loader: UserLoader) -> None:
    """Raise `ConfigError` for a loader that wants arguments, as Flask-Login's of that name does."""
    try:
        inspect.signature(loader).bind()
    except ValueError:
        return  # what is written in C may not say what it wants
    except TypeError as error:
        name = getattr(loader, "__name__", type(loader).__name__)
        raise ConfigError(
            f"user_loader: {name}() is called without arguments ({error}), and returns the id of "
            "whoever is signed in, or None. With Flask-Login none is needed: its current_user is "
            "asked"
        ) from error
