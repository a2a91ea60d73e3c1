"""The login the host has already."""

from __future__ import annotations

import importlib
from typing import Any

from flask import current_app


def flask_login_user() -> Any:
    """Return the id of Flask-Login's current user, or ``None`` where it is not set up."""
    if not hasattr(current_app, "login_manager"):
        return None
    user = importlib.import_module("flask_login").current_user
    return user.get_id() if user.is_authenticated else None
