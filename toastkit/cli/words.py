"""How every command answers, and tells what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, ParamSpec

import click
import msgspec

from ..errors import Invalid, ToastKitError

P = ParamSpec("P")

as_json = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")


class _CalledWrongly(click.ClickException):
    exit_code = 2


def told(command: Callable[P, None]) -> Callable[P, None]:
    """Run a command, and tell an error in one line.

    It exits with 1 for what cannot be done, with 2 for what was called wrongly.
    """

    @wraps(command)
    def carry_out(*args: P.args, **options: P.kwargs) -> None:
        try:
            command(*args, **options)
        except Invalid as error:
            raise _CalledWrongly(str(error)) from None
        except ToastKitError as error:
            raise click.ClickException(str(error)) from None

    return carry_out


def json_text(value: Any) -> str:
    """Write an answer for programs."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def columns(rows: Iterable[Sequence[str]]) -> str:
    """Write rows below each other, each column as wide as its widest word."""
    lines = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = (map(str.ljust, line, widths) for line in lines)
    return "\n".join("  ".join(line).rstrip() for line in padded)
