"""What became of a toast."""

from __future__ import annotations

import click

from ..current import current_kit
from ..publishing import Explanation
from .words import as_json, examples, say, say_json, shown, told


@click.command(epilog=examples("toastkit explain 01KDVDNB00K1M1YJ2YJ2YJ2YJ2"))
@click.argument("id")
@as_json
@told
def explain(id: str, as_json: bool) -> None:
    """Say what became of toast ID, and why.

    Why its user did or did not see it. ID is what a publish answered; for a duplicate that is the
    first toast's. Exits with 1 when there is no such toast.
    """
    explanation = current_kit().toasts.explain(id)
    if as_json:
        say_json(explanation)
    else:
        say(_text(explanation))


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
    lines += ["", *(f"- {hint}" for hint in explanation.hints)]
    return "\n".join(map(shown, lines))
