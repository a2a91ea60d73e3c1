"""A process that only carries what is owed to the outside world."""

from __future__ import annotations

import click

from ..clock import iso
from ..current import current_kit
from ..deliveries import Carried
from .words import as_json, examples, say, say_json, shown, sigterm_like_ctrl_c, told


@click.command(epilog=examples("toastkit courier", "toastkit courier --once --json"))
@click.option("--once", is_flag=True, help="Carry what is due by now, and end.")
@as_json
@told
def courier(once: bool, as_json: bool) -> None:
    """Carry what is owed to the outside world.

    A process of its own for that. Runs until SIGTERM or Ctrl-C, and waits TOASTKIT_CLOSE_SECONDS
    for attempts that go on. An app that serves does this by itself unless TOASTKIT_CARRY=0; running
    both, or several, does no harm. Exits with 1 when there is nothing it could carry.
    """
    kit = current_kit()
    if kit.deliveries.kinds:
        click.echo(f"carrying {', '.join(kit.deliveries.kinds)}", err=True)
    try:
        with sigterm_like_ctrl_c():
            kit.deliveries.carry(_tell_json if as_json else _tell, once=once)
    except KeyboardInterrupt:
        if once:
            raise click.ClickException("stopped before everything was carried") from None
        click.echo("stopped", err=True)
    finally:
        # What became of the last attempts is on disk after this.
        kit.close()


def _tell_json(carried: Carried) -> None:
    delivery, again = carried.delivery, carried.next_attempt_at
    item = {
        "id": delivery.id,
        "kind": delivery.kind,
        "user_id": delivery.user_id,
        "target": delivery.target,
        "state": carried.state,
        "answer": carried.answer,
        "next_attempt_at": None if again is None else iso(again),
    }
    say_json(item, line=True)


def _tell(carried: Carried) -> None:
    delivery = carried.delivery
    words = [delivery.kind, delivery.id, delivery.user_id or "-", delivery.target or "-"]
    words.append(carried.state if not carried.answer else f"{carried.state}: {carried.answer}")
    if carried.next_attempt_at is not None:
        words.append(f"next attempt {iso(carried.next_attempt_at)}")
    say("  ".join(map(shown, words)))
