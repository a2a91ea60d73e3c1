"""The schema of the database."""

from __future__ import annotations

import click

from ..current import current_kit
from .words import as_json, examples, say, say_json, told


@click.command(
    epilog=examples(
        "toastkit upgrade",
        "toastkit upgrade --sql > upgrade.sql",
        "DATABASE_URL=postgresql:// toastkit upgrade --sql --from base",
    )
)
@click.option("--sql", is_flag=True, help="Print the SQL instead, and change nothing.")
@click.option("--from", "since", metavar="REVISION", help="With --sql: begin there, not looking.")
@as_json
@told
def upgrade(sql: bool, since: str | None, as_json: bool) -> None:
    """Bring the database's schema up to date.

    An app does so at its first use by itself; this is for who wants to do it before, or may not
    change tables with the app's own role. Any number may run at once. Tables that ToastKit(app,
    db=db) has put among the app's own are only looked at: flask db upgrade makes those.

    --sql reads from the database at which revision it is; --from names that (base: an empty
    database), so that nothing is connected to.
    """
    if since is not None and not sql:
        raise click.UsageError("--from goes with --sql")
    data = current_kit().data
    if sql:
        _print(data.upgrade_sql(since), as_json)
        return
    was = data.upgrade()
    if as_json:
        say_json({"before": was.before, "now": was.now, "hosts": was.hosts})
    elif was.hosts:
        say(
            "nothing to do: the tables are the app's own, and flask db upgrade has made all of them"
        )
    elif was.before == was.now:
        say(f"nothing to do: the schema is at {was.now}, the newest")
    else:
        say(f"upgraded from {was.before or 'nothing'} to {was.now}")


def _print(text: str, as_json: bool) -> None:
    if as_json:
        say_json({"sql": text})
    elif text:
        say(text.rstrip("\n"))
    else:
        click.echo("nothing to do: the schema is at the newest revision", err=True)
