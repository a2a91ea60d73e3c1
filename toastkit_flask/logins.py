"""The login the host has already."""

from __future__ import annotations

import importlib
from typing import Any

from flask import Flask, current_app


def has_flask_login(app: Flask) -> bool:
    """Tell whether Flask-Login is set up on an app."""
    return hasattr(app, "login_manager")


def flask_login_user() -> Any:
    """Return the id of Flask-Login's current user, or ``None`` where it is not set up."""
    if not has_flask_login(current_app):
        return None
    user = importlib.import_module("flask_login").current_user
    return user.get_id() if user.is_authenticated else None
