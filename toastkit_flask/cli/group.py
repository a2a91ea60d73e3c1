"""The group ``flask toastkit`` and what is in it."""

from __future__ import annotations

from flask import Flask
from flask.cli import AppGroup

from .courier import courier
from .data import export, forget, prune
from .deliveries import deliveries
from .devices import devices
from .toasts import explain

group = AppGroup("toastkit", help="Look after toasts, and after what is owed for them.")
for _command in (explain, devices, deliveries, courier, prune, forget, export):
    group.add_command(_command)


def register(app: Flask) -> None:
    """Give an app's ``flask`` command the group ``toastkit``, unless it has one of that name."""
    if group.name not in app.cli.commands:
        app.cli.add_command(group)
