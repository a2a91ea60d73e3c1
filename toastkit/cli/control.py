"""Tell a control from a shell."""

from __future__ import annotations

from typing import Any

import click

from ..current import current_kit
from .publish import json_object
from .words import as_json, examples, say, say_json, told


def _pairs(_context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> Any:
    pairs = [text.partition("=") for text in texts]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise click.BadParameter("it must be NAME=VALUE", param=parameter)
    return {name: value for name, _, value in pairs}


@click.command(
    epilog=examples(
        "toastkit control flags.changed",
        "toastkit control usage.changed --user ada --param plan=pro",
        "toastkit control usage.changed --params '{\"used\": 7}'",
    )
)
@click.argument("kind")
@click.option(
    *("--param", "pairs"),
    metavar="NAME=VALUE",
    multiple=True,
    callback=_pairs,
    help="One of its params, as text; may be given again.",
)
@click.option("--params", metavar="JSON", callback=json_object, help="Its params, as an object.")
@click.option("--user", help="Whom to tell; everybody connected unless named.")
@as_json
@told
def control(
    kind: str, *, pairs: dict[str, str], params: dict[str, Any] | None, user: str | None, **how: Any
) -> None:
    """Tell a control to whoever is connected.

    KIND is its name, such as usage.changed. A control is not stored: this command, which serves
    nobody, reaches those who do through Redis (REDIS_URL, TOASTKIT_REDIS_URL). Without it, or when
    it is away, it says so and exits with 1.
    """
    current_kit().publish_control(kind, {**(params or {}), **pairs}, user)
    whom = "everybody" if user is None else user
    if how["as_json"]:
        say_json({"told": True, "kind": kind, "user_id": user})
    else:
        say(f"told {kind} to {whom}")
