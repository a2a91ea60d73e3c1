"""The login the host has already."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from flask import Flask, current_app

from toastkit.errors import ConfigError
from toastkit.hooks import UserLoader

_warned: WeakSet[Flask] = WeakSet()


def has_flask_login(app: Flask) -> bool:
    """Tell whether Flask-Login is set up on an app."""
    return hasattr(app, "login_manager")


def flask_login_user() -> Any:
    """Return the id of Flask-Login's current user, or ``None`` where it is not set up."""
    if not has_flask_login(current_app):
        return None
    user = importlib.import_module("flask_login").current_user
    if not user.is_authenticated:
        return None
    found = user.get_id()
    _warn_of_another_id(getattr(user, "id", None), found)
    return found


def _warn_of_another_id(own: object, known: object) -> None:
    """Warn once where users have two ids: a view publishes to ``user.id``, and nobody hears it."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    if own is None or str(own) == str(known) or app in _warned:
        return
    _warned.add(app)
    # Neither is told: the other id is as good as a password to some.
    app.logger.warning(
        "Flask-Login's get_id() is not the user's id in this app (as with Flask-Security), so a "
        "toast that is published to user.id does not reach them: name the id you publish to with "
        "@toastkit.user_loader, such as current_user.is_authenticated and current_user.id"
    )


def ensure_plain(name: str, hook: Callable[..., Any]) -> None:
    """Raise `ConfigError` for a hook that is async: nobody would await it."""
    if inspect.iscoroutinefunction(hook):
        raise ConfigError(
            f"{name}: {_name_of(hook)}() is async, and is called by what is not: make it a plain "
            "function, with asgiref.sync.async_to_sync if need be"
        )


def ensure_loader(loader: UserLoader) -> None:
    """Raise `ConfigError` for a loader that is async, or wants arguments as Flask-Login's does."""
    ensure_plain("user_loader", loader)
    try:
        inspect.signature(loader).bind()
    except ValueError:
        return  # what is written in C may not say what it wants
    except TypeError as error:
        raise ConfigError(
            f"user_loader: {_name_of(loader)}() is called without arguments ({error}), and returns the id of "
            "whoever is signed in, or None. With Flask-Login none is needed: its current_user is "
            "asked"
        ) from error


def _name_of(hook: Callable[..., Any]) -> str:
    return getattr(hook, "__name__", type(hook).__name__)
