"""The same commands somewhere else: inside what a host needs around them."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import click

Around = Callable[[Callable[..., Any]], Callable[..., Any]]


def wrapped(command: click.Command, around: Around) -> click.Command:
    """Return a copy of a command, or of a whole group, that runs inside ``around``.

    A group's own callback stays outside, as what it shows needs nothing of the host's.
    """
    twin = copy(command)
    if isinstance(twin, click.Group):
        twin.commands = {name: wrapped(each, around) for name, each in twin.commands.items()}
    elif twin.callback is not None:
        twin.callback = around(twin.callback)
    return twin
