"""``flask toastkit …``: toastkit's commands, inside the app's context and on its kit."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask
from flask.cli import with_appcontext

from toastkit.cli import group, wrapped
from toastkit.wiring import weakly

from .state import find_kit


def register(app: Flask) -> None:
    """Give an app's ``flask`` command the group ``toastkit``, unless it has one of that name."""
    if group.name not in app.cli.commands:
        app.cli.add_command(wrapped(group, _in_app))


def _in_app(command: Callable[..., Any]) -> Callable[..., Any]:
    @with_appcontext
    @wraps(command)
    def carry_out(*args: Any, **options: Any) -> Any:
        from . import doctor  # only here: a worker runs no command

        doctor.register()
        kit = find_kit()
        if kit is not None:
            # Not at once: a test's app goes on after the command it ran.
            atexit.register(weakly(kit.close))
        return command(*args, **options)

    return carry_out
