"""The group ``toastkit`` and what is in it."""

from __future__ import annotations

import click

from .courier import courier
from .data import export, forget, prune
from .deliveries import deliveries
from .devices import devices
from .toasts import explain


@click.group("toastkit")
def group() -> None:
    """Look after toasts, and after what is owed for them."""


for _command in (explain, devices, deliveries, courier, prune, forget, export):
    group.add_command(_command)
