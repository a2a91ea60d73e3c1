"""Publish from a shell: a toast to one user, or to as many as a file names."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TextIO

import click
from msgspec.structs import asdict

from .. import principals
from ..current import current_kit
from ..errors import Invalid, StorageUnavailable
from ..events import CHOICES, Toast
from ..kit import SLICE
from ..publishing.draft import topic_of
from ..receipts import Receipt
from .words import Progress, as_json, examples, say, say_json, sigterm_like_ctrl_c, told

CONTENT = ("title", "body", "style", "priority", "deeplink", "data")
"""What a toast shows; every other option says how it travels."""


def json_object(_context: click.Context, parameter: click.Parameter, text: str | None) -> Any:
    """Read an option that is a JSON object."""
    if text is None:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(f"it is no JSON: {error}", param=parameter) from None
    if not isinstance(value, dict):
        raise click.BadParameter('it must be a JSON object, like {"order": 7}', param=parameter)
    return value


@click.command(
    epilog=examples(
        'toastkit publish ada "Order placed" --body "It leaves today." --style success',
        'toastkit publish --users-from users.txt "We are back" --dedupe-key back-1',
        'toastkit publish -- --odd-user-id "Hello"',
    )
)
@click.argument("users", metavar="USER...", nargs=-1)
@click.argument("title")
@click.option("--body", help="More than the title says.")
@click.option("--style", type=click.Choice(CHOICES["style"]), default="info", help="How it looks.")
@click.option(
    "--priority",
    type=click.Choice(CHOICES["priority"]),
    default="normal",
    help="How much it matters.",
)
@click.option("--deeplink", metavar="URL", help="Where a click on it leads.")
@click.option("--data", metavar="JSON", callback=json_object, help="An object for your client.")
@click.option("--topic", help="Another topic than user:USER.")
@click.option("--dedupe-key", metavar="KEY", help="One toast for each user and key, for a while.")
@click.option("--collapse-key", metavar="KEY", help="The newest of a key takes the others' place.")
@click.option("--ttl-ms", metavar="MS", type=int, help="Milliseconds after which it is worthless.")
@click.option("--no-fallback", is_flag=True, help="Ring no phone when nobody is there.")
@click.option(
    "--users-from",
    metavar="FILE",
    type=click.File(encoding="utf-8-sig"),
    help="Users, one a line; - reads them from stdin.",
)
@as_json
@told
def publish(
    users: tuple[str, ...], *, users_from: TextIO | None, as_json: bool, **given: Any
) -> None:
    """Publish a toast to each USER.

    Prints a receipt for each: what became of it. It says "queued" where another process must show
    it: this one serves nobody. Every user is checked before the first toast is published. For many,
    how far it is is told on stderr; with --dedupe-key a command that was broken off may be run
    again.
    """
    kit = current_kit()
    wanted = _users(users, users_from, given["topic"])
    toast = Toast.of({name: given.pop(name) for name in CONTENT})
    travel = {"fallback_apns": not given.pop("no_fallback"), "db": None, **given}
    answer = _json if as_json else _line
    if len(wanted) == 1:
        answer(wanted[0], kit.publish_toast(wanted[0], toast, **travel))
        return
    _publish_all(wanted, lambda some: kit.publish_toasts(some, toast, **travel), answer)


def _users(named: Sequence[str], file: TextIO | None, topic: str | None) -> list[str]:
    """Return whom to publish to, each a user that could be, in whose name the topic may be."""
    users = [_user(text, "USER", topic) for text in named]
    users += [] if file is None else _read(file, topic)
    if not users:
        raise click.UsageError("name a USER and the TITLE, or give --users-from FILE")
    return users


def _read(file: TextIO, topic: str | None) -> Iterator[str]:
    name = getattr(file, "name", "<stdin>")
    try:
        for number, line in enumerate(file, 1):
            if text := line.strip():
                yield _user(text, f"{name}, line {number}", topic)
    except UnicodeDecodeError:
        raise Invalid(f"{name} is not UTF-8") from None
    except OSError as error:
        raise Invalid(f"{name} cannot be read: {error.strerror}") from None


def _user(text: str, where: str, topic: str | None) -> str:
    user = principals.user_id(text, where)
    if topic is not None:
        topic_of(topic, user)
    return user


def _publish_all(
    users: Sequence[str],
    publish: Callable[[Sequence[str]], list[Receipt]],
    answer: Callable[[str, Receipt], object],
) -> None:
    done, counts, progress = 0, Counter[str](), Progress()
    try:
        # As many at once as the kit keeps together: broken off, it is known how far it came.
        with sigterm_like_ctrl_c():
            for first in range(0, len(users), SLICE):
                some = users[first : first + SLICE]
                for user, receipt in zip(some, publish(some), strict=True):
                    answer(user, receipt)
                    counts[receipt.status] += 1
                done += len(some)
                progress.tell(f"published {done} of {len(users)}")
    except KeyboardInterrupt:
        raise _broken_off("stopped", done, len(users)) from None
    except StorageUnavailable as error:
        raise _broken_off(str(error), done, len(users)) from None
    each = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    click.echo(f"published {done}: {each}", err=True)


def _broken_off(why: str, done: int, all_: int) -> click.ClickException:
    # The slice that went on may have been kept: that is what the key is for.
    return click.ClickException(
        f"{why}: {done} of {all_} were published, and perhaps up to {SLICE} more. With a "
        "--dedupe-key the same command may be run again: who has the toast gets no second one"
    )


def _json(user: str, receipt: Receipt) -> None:
    say_json({"user_id": user, **asdict(receipt)}, line=True)


def _line(user: str, receipt: Receipt) -> None:
    say(f"{receipt.id}  {user}  {_became(receipt)}")


def _became(receipt: Receipt) -> str:
    if receipt.transport == "websocket":
        count = receipt.session_count
        return f"delivered to {count} connection{'' if count == 1 else 's'}"
    if receipt.transport != "none":
        return f"{receipt.status} by {receipt.transport}"
    if receipt.reason in (None, receipt.status):
        return receipt.status
    return f"{receipt.status} ({receipt.reason})"
