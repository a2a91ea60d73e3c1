"""How every command answers, and tells what went wrong."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec

import click
import msgspec

from ..clock import SystemClock
from ..errors import Invalid, ToastKitError, TooLarge, TopicNotAllowed

P = ParamSpec("P")

as_json = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")

PROGRESS_SECONDS = 1.0
"""How often long work tells how far it is."""


class _CalledWrongly(click.ClickException):
    exit_code = 2


def told(command: Callable[P, None]) -> Callable[P, None]:
    """Run a command, and tell an error in one line.

    It exits with 1 for what cannot be done, with 2 for what was called wrongly.
    """

    @wraps(command)
    def carry_out(*args: P.args, **options: P.kwargs) -> None:
        _speak_anywhere()
        try:
            command(*args, **options)
        except (Invalid, TooLarge, TopicNotAllowed) as error:
            raise _CalledWrongly(shown(str(error))) from None
        except ToastKitError as error:
            raise click.ClickException(shown(str(error))) from None

    return carry_out


def examples(*lines: str) -> str:
    """Return the end of a command's help: how it is called."""
    # The mark keeps click from filling the lines up.
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def say(text: str) -> bool:
    """Print a line; tell whether anybody reads it still.

    Whoever has read enough, as ``head`` has, may go: what the command is at goes on.
    """
    return _write(text)


def say_json(value: Any, *, line: bool = False) -> bool:
    """Print an answer for programs, in UTF-8 whatever the terminal's is; see ``say``."""
    text = msgspec.json.encode(value)
    return _write(text if line else msgspec.json.format(text, indent=2))


def gone() -> None:
    """Print no more, for whoever read it has gone."""
    # Python's last flush would complain otherwise, of a pipe that nobody reads.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def nobody_reads() -> bool:
    """Tell whether what is printed goes into a pipe whose reader has gone."""
    try:
        out = select.poll()
        out.register(sys.stdout.fileno(), select.POLLERR)
        return any(found & select.POLLERR for _, found in out.poll(0))
    except (OSError, ValueError):  # no file at all
        return False


def shown(text: str) -> str:
    """Return text that somebody else wrote as one harmless line: it might steer a terminal."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape", "surrogatepass").decode()
        for each in text
    )


def columns(rows: Iterable[Sequence[str]]) -> str:
    """Write rows below each other, each column as wide as its widest word."""
    lines = [tuple(map(shown, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = (map(str.ljust, line, widths) for line in lines)
    return "\n".join("  ".join(line).rstrip() for line in padded)


class Progress:
    """Tell on stderr how far long work is: nothing of what is done in a second."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._next = self._clock.monotonic() + PROGRESS_SECONDS

    def tell(self, text: str) -> None:
        """Tell it, unless something was told just now."""
        now = self._clock.monotonic()
        if now >= self._next:
            self._next = now + PROGRESS_SECONDS
            click.echo(text, err=True)

    def rows(self, table: str, count: int) -> None:
        """Tell how many rows of a table it has been so far."""
        self.tell(f"{table}: {count}")


@contextmanager
def sigterm_like_ctrl_c() -> Iterator[None]:
    """Turn SIGTERM into ``KeyboardInterrupt``, too."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's: a command that a test runs elsewhere hears of none
        return
    # An exception where the main thread waits, instead of a handler that wakes it: that might run
    # in the middle of the very lock it needs.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _write(text: str | bytes) -> bool:
    try:
        click.echo(text)
    except BrokenPipeError:
        gone()
        return False
    return True


def _speak_anywhere() -> None:
    # A terminal that cannot write an umlaut shows how it is spelled, instead of a traceback.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
