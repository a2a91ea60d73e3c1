"""The group ``toastkit`` and what is in it."""

from __future__ import annotations

import click

from .control import control
from .courier import courier
from .data import export, forget, prune
from .deliveries import deliveries
from .devices import devices
from .doctor import doctor
from .publish import publish
from .schema import upgrade
from .tail import tail
from .toasts import explain


@click.group("toastkit")
@click.version_option(package_name="toastkit", message="%(package)s %(version)s")
def group() -> None:
    """Look after toasts, and after what is owed for them."""


for _command in (
    doctor,
    upgrade,
    publish,
    control,
    tail,
    explain,
    devices,
    deliveries,
    courier,
    prune,
    forget,
    export,
):
    group.add_command(_command)
