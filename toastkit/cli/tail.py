"""Follow what is published, in whatever process, and what becomes of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import click
from msgspec.structs import asdict

from ..clock import SystemClock, iso
from ..current import current_kit
from ..errors import StorageUnavailable
from ..kit import Kit
from ..publishing import Tail, TailEntry
from .words import as_json, examples, nobody_reads, say, say_json, shown, sigterm_like_ctrl_c, told

LOOK_SECONDS = 0.5
"""Time between two looks at the database."""

MOST = 10_000
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class _Since(click.ParamType):  # type: ignore[type-arg, unused-ignore] # newer ones are generic
    name = "since"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return how long ago, or (negative) at which time, in milliseconds."""
        if isinstance(value, str) and (ago := re.fullmatch(r"(\d{1,6})([smhd])", value, re.ASCII)):
            return int(ago[1]) * _UNITS[ago[2]] * 1000
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            self.fail("say how long ago (30s, 15m, 2h, 7d) or since when (ISO 8601)", param, ctx)
        return -int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


@click.command(
    epilog=examples(
        "toastkit tail",
        "toastkit tail --user ada --since 15m",
        "toastkit tail --topic orders --json | jq .why",
    )
)
@click.option("--user", help="Toasts of this user.")
@click.option("--topic", help="Toasts on this topic.")
@click.option(
    "--last",
    metavar="N",
    type=click.IntRange(0, MOST),
    help="Begin with so many that are there (10; with --since 1000).",
)
@click.option(
    "--since",
    type=_Since(),
    metavar="TIME",
    help="Begin with those of the last 15m, or since a time.",
)
@click.option("--once", is_flag=True, help="Show what is there, and end.")
@as_json
@told
def tail(
    user: str | None, topic: str | None, *, last: int | None, since: int | None, **how: bool
) -> None:
    """Follow toasts, and what becomes of them.

    A line for each toast, and one more whenever something has become of it: it was delivered, a
    phone rang, it was read. It follows the database, so it shows what every process publishes.
    Controls are not stored, so they are not shown. Ends with Ctrl-C, or when nobody reads on.
    """
    kit = current_kit()
    followed = kit.toasts.tail(user, topic)
    now = kit.node.clock.now()
    if last is None:
        last = 10 if since is None else 1000
    start = None if since is None else (now - since if since >= 0 else -since)
    try:
        with sigterm_like_ctrl_c():
            if _show(followed.begin(last, start), how["as_json"]) and not how["once"]:
                _follow(kit, followed, how["as_json"])
    except KeyboardInterrupt:
        return


def _follow(kit: Kit, followed: Tail, as_json: bool) -> None:
    away, took = False, 0.0
    wait, monotonic = kit.node.runtime.signal().wait, SystemClock().monotonic
    while True:
        # Where a lot is published a look takes long: it leaves the database to others in between.
        wait(max(LOOK_SECONDS, 2 * took))
        began = monotonic()
        try:
            found = followed.look()
        except StorageUnavailable as error:
            if not away:
                click.echo(f"{error}; looking on", err=True)
            away = True
            continue
        took = monotonic() - began
        if away:
            click.echo("the database is back", err=True)
            away = False
        if not _show(found, as_json) or nobody_reads():
            return


def _show(entries: Iterable[TailEntry], as_json: bool) -> bool:
    """Print entries; tell whether anybody reads them still."""
    if as_json:
        return all(say_json(_item(entry), line=True) for entry in entries)
    return all(say(_line(entry)) for entry in entries)


def _item(entry: TailEntry) -> dict[str, Any]:
    return {**asdict(entry), "at": iso(entry.at)}


def _line(entry: TailEntry) -> str:
    words = [iso(entry.at), entry.id, entry.user_id, entry.topic, _became(entry)]
    return "  ".join([*words, shown(entry.title)] if entry.new else words)


def _became(entry: TailEntry) -> str:
    if entry.why == "delivered" and entry.session_count:
        count = entry.session_count
        return f"delivered to {count} connection{'' if count == 1 else 's'}"
    if entry.why == "sent":
        return f"sent by {entry.transport}"
    return entry.why if entry.why == entry.state else f"{entry.state} ({entry.why})"
