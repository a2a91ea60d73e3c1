"""How long things are kept, and everything that is kept of a user."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ..current import current_kit
from .words import as_json, json_text, told


@click.command()
@as_json
@told
def prune(as_json: bool) -> None:
    """Delete what is not kept any longer, in small batches.

    Toasts are kept for TOASTKIT_RETENTION_DAYS. An app that serves does this by itself, every
    TOASTKIT_PRUNE_SECONDS; running both does no harm.
    """
    deleted = current_kit().data.prune(None if as_json else _progress)
    click.echo(json_text(deleted) if as_json else _deleted(deleted))


@click.command()
@click.argument("user")
@click.option("--yes", is_flag=True, help="Do not ask.")
@told
def forget(user: str, yes: bool) -> None:
    """Delete everything that is kept about USER, in the app's own registered tables too.

    It cannot be taken back, so it asks first. USER's open connections are ended.
    """
    if not yes:
        click.confirm(f"Delete everything that is kept about {user!r}, for good?", abort=True)
    click.echo(_deleted(current_kit().data.forget(user)))


@click.command()
@click.argument("user")
@click.option("--output", type=click.Path(dir_okay=False), help="A file instead of the terminal.")
@told
def export(user: str, output: str | None) -> None:
    """Write everything that is kept about USER as JSON, by table.

    A file is made so that nobody else on the machine can read it; one that is there is replaced.
    """
    text = json_text(current_kit().data.export(user))
    if output is None:
        click.echo(text)
    else:
        _write(Path(output), text)


def _deleted(rows: dict[str, int]) -> str:
    parts = [f"{count} of {table}" for table, count in rows.items() if count]
    return f"deleted {', '.join(parts) or 'nothing'}"


def _progress(table: str, count: int) -> None:
    click.echo(f"{table}: {count}", err=True)


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
