"""How long things are kept, and everything that is kept of a user."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click
import msgspec

from ..current import current_kit
from ..principals import user_id
from .words import Progress, as_json, examples, gone, say, say_json, shown, told

Parts = Iterable[tuple[str, list[dict[str, Any]]]]


@click.command(epilog=examples("toastkit prune", "toastkit prune --json"))
@as_json
@told
def prune(as_json: bool) -> None:
    """Delete what is not kept any longer.

    In small batches, so that nobody waits; how far it is is told on stderr. Toasts are kept for
    TOASTKIT_RETENTION_DAYS. An app that serves does this by itself, every TOASTKIT_PRUNE_SECONDS;
    running both does no harm.
    """
    _answer(current_kit().data.prune(Progress().rows), as_json)


@click.command(epilog=examples("toastkit forget ada", "toastkit forget ada --yes --json"))
@click.argument("user")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@told
def forget(user: str, yes: bool, as_json: bool) -> None:
    """Delete everything that is kept about USER, for good.

    In the app's own registered tables, too. It cannot be taken back, so it asks first. What USER has
    open to a process that serves ends at once with Redis, and without stays until its ticket ends,
    within TOASTKIT_TICKET_SECONDS. Broken off, it may be called again.
    """
    name = user_id(user, "USER")
    if not yes:
        question = f"Delete everything that is kept about {name!r}, for good?"
        click.confirm(question, abort=True, err=True)
    _answer(current_kit().data.forget(name, Progress().rows), as_json)


@click.command(epilog=examples("toastkit export ada", "toastkit export ada --output ada.json"))
@click.argument("user")
@click.option("--output", type=click.Path(dir_okay=False), help="A file instead of the terminal.")
@told
def export(user: str, output: str | None) -> None:
    """Write everything that is kept about USER as JSON.

    It is an object of tables, each a list of rows. A file is made so that nobody else on the
    machine can read it; one that is there is replaced, once the new one is complete.
    """
    parts = _telling(current_kit().data.export_parts(user_id(user, "USER")))
    if output is None:
        _print(parts)
    else:
        with _replacing(Path(output)) as file:
            _write(parts, file)


def _answer(rows: dict[str, int], as_json: bool) -> None:
    if as_json:
        say_json(rows)
        return
    parts = [f"{count} of {table}" for table, count in rows.items() if count]
    say(f"deleted {', '.join(parts) or 'nothing'}")


def _telling(parts: Parts) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    progress, counts = Progress(), dict[str, int]()
    for table, rows in parts:
        counts[table] = counts.get(table, 0) + len(rows)
        progress.rows(table, counts[table])
        yield table, rows


def _print(parts: Parts) -> None:
    try:
        _write(parts, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        gone()


def _write(parts: Parts, file: BinaryIO) -> None:
    """Write a JSON object of lists without holding it in memory; the rows of a table are together."""
    open_table = None
    for table, rows in parts:
        if table != open_table:
            file.write(b"{\n" if open_table is None else b"\n  ],\n")
            file.write(b"  %s: [" % msgspec.json.encode(str(table)))
            open_table, between = table, b"\n    "
        for row in rows:
            file.write(between + msgspec.json.encode(row))
            between = b",\n    "
    file.write(b"{}\n" if open_table is None else b"\n  ]\n}\n")


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    # What is kept about somebody is nobody else's business, also not until the file is complete.
    _ensure_ordinary(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    except OSError as error:
        text = f"{shown(str(path))} cannot be written: {error.strerror}"
        raise click.ClickException(text) from None


def _ensure_ordinary(path: Path) -> None:
    # Whoever may replace /dev/null would take it from everybody; /dev/stdout is a link.
    if not path.name or (os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode)):
        raise click.UsageError(
            f"--output {shown(str(path))!r} is no file to replace: leave it out, and say where to "
            "with > or |"
        )
