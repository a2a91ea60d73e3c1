"""``flask toastkit``: what an operator asks and does, in the words of the Python API."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import click
import msgspec
from flask import Flask
from flask.cli import AppGroup

from toastkit import Invalid, ToastKitError
from toastkit.publishing import Explanation

from .state import current_kit

P = ParamSpec("P")

group = AppGroup("toastkit", help="Look after toasts: explain, prune, forget, export.")


def register(app: Flask) -> None:
    """Give an app's ``flask`` command the group ``toastkit``, unless it has one of that name."""
    if group.name not in app.cli.commands:
        app.cli.add_command(group)


class _CalledWrongly(click.ClickException):
    exit_code = 2


def _told(command: Callable[P, None]) -> Callable[P, None]:
    """Tell an error in one line: 1 for what cannot be done, 2 for what was called wrongly."""

    @wraps(command)
    def carry_out(*args: P.args, **options: P.kwargs) -> None:
        try:
            command(*args, **options)
        except Invalid as error:
            raise _CalledWrongly(str(error)) from None
        except ToastKitError as error:
            raise click.ClickException(str(error)) from None

    return carry_out


as_json = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")


@group.command()
@click.argument("id")
@as_json
@_told
def explain(id: str, as_json: bool) -> None:
    """Say what became of toast ID, and why its user did or did not see it.

    ID is what a publish answered; for a duplicate that is the first toast's. Exits with 1 when
    there is no such toast.
    """
    explanation = current_kit().toasts.explain(id)
    click.echo(_json(explanation) if as_json else _text(explanation))


@group.command()
@as_json
@_told
def prune(as_json: bool) -> None:
    """Delete what is not kept any longer, in small batches.

    Toasts are kept for TOASTKIT_RETENTION_DAYS. An app that serves does this by itself, every
    TOASTKIT_PRUNE_SECONDS; running both does no harm.
    """
    deleted = current_kit().data.prune(None if as_json else _progress)
    click.echo(_json(deleted) if as_json else _deleted(deleted))


@group.command()
@click.argument("user")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_told
def forget(user: str, yes: bool) -> None:
    """Delete everything that is kept about USER, in the app's own registered tables too.

    It cannot be taken back, so it asks first. USER's open connections are ended.
    """
    if not yes:
        click.confirm(f"Delete everything that is kept about {user!r}, for good?", abort=True)
    click.echo(_deleted(current_kit().data.forget(user)))


@group.command()
@click.argument("user")
@click.option("--output", type=click.Path(dir_okay=False), help="A file instead of the terminal.")
@_told
def export(user: str, output: str | None) -> None:
    """Write everything that is kept about USER as JSON, by table.

    A file is made so that nobody else on the machine can read it; one that is there is replaced.
    """
    text = _json(current_kit().data.export(user))
    if output is None:
        click.echo(text)
    else:
        _write(Path(output), text)


def _text(explanation: Explanation) -> str:
    lines = [
        explanation.verdict,
        "",
        f"toast  {explanation.id}",
        f"user   {explanation.user_id}",
        f"state  {explanation.state} ({explanation.why})",
        "",
        *(f"{at}  {text}" for at, text in explanation.timeline),
    ]
    return "\n".join([*lines, "", *(f"- {hint}" for hint in explanation.hints)])


def _deleted(rows: dict[str, int]) -> str:
    parts = [f"{count} of {table}" for table, count in rows.items() if count]
    return f"deleted {', '.join(parts) or 'nothing'}"


def _progress(table: str, count: int) -> None:
    click.echo(f"{table}: {count}", err=True)


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _write(path: Path, text: str) -> None:
    # What is kept about somebody is nobody else's business, also not until the file is complete.
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from None
