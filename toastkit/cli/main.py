"""The command ``toastkit``: the group on a kit of the environment's settings."""

from __future__ import annotations

import warnings

import click

from ..config import Config
from ..current import register_finder
from ..kit import Kit
from .group import group


class Environment:
    """Open a kit when a command first asks for one: help and completion need none."""

    def __init__(self) -> None:
        self._kit: Kit | None = None

    def kit(self) -> Kit:
        """Return the kit of this process's settings; raise ``ConfigError`` where they name none."""
        if self._kit is None:
            self._kit = Kit(Config.from_env())
        return self._kit

    def close(self) -> None:
        """Close the kit, if one was opened."""
        if self._kit is not None:
            self._kit.close()


def main() -> None:
    """Run ``toastkit …`` and exit: with 0 done, 1 cannot be done, 2 called wrongly."""
    environment = Environment()
    warnings.showwarning = _warn
    register_finder(environment.kit)
    try:
        group.main(prog_name="toastkit")
    finally:
        environment.close()


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    # Such as of a setting that is none: where in the code that was found out helps nobody here.
    click.echo(f"Warning: {message}", err=True)
