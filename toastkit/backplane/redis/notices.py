"""What workers tell each other beside events: that they hear or end, who was dismissed, what to read."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from .envelope import MAX_BYTES, Text, Unreadable, read

Worker = Annotated[str, Meta(pattern="^[0-9a-f]{16}$")]
Number = Annotated[int, Meta(ge=0, le=2**53)]
"""Of a question. A process asks hundreds in a second, for months."""
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
"""Of connections: no worker has more, and the sum of some fits into a column."""


class Beat(Struct, frozen=True, tag="beat", tag_field="kind", forbid_unknown_fields=True):
    """Say that a worker hears; ``hello`` asks the others to say so, too."""

    worker: Worker
    hello: bool = False


class Bye(Struct, frozen=True, tag="bye", tag_field="kind", forbid_unknown_fields=True):
    """Say that a worker ends, and is not to be waited for."""

    worker: Worker


class Dismissed(Struct, frozen=True, tag="dismissed", tag_field="kind", forbid_unknown_fields=True):
    """Say that sessions of a user have ended, or (none named) everything they have opened."""

    worker: Worker
    user_id: Annotated[str, Meta(min_length=1, max_length=1000)]
    sessions: tuple[Annotated[str, Meta(pattern="^[0-9a-f]{64}$")], ...] = ()


class Missed(Struct, frozen=True, tag="missed", tag_field="kind", forbid_unknown_fields=True):
    """Say on which routes a toast did not reach the others, or (none named) on some of all."""

    worker: Worker
    routes: tuple[Text, ...] = ()


class Answered(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Answer one event: which, who answers, and how many connections there were."""

    number: Number
    worker: Worker
    written: Count
    present: Count


Notice = Beat | Bye | Dismissed | Missed
Answers = Annotated[list[Answered], Meta(min_length=1)]

encode = msgspec.json.Encoder().encode
_decode_notice = msgspec.json.Decoder(Notice).decode
_decode_answers = msgspec.json.Decoder(Answers).decode


def read_notice(payload: bytes) -> Notice:
    """Read what came by the workers' channel.

    Raises:
        Unreadable: it is none.
    """
    notice: Notice = read(_bounded(payload), _decode_notice)
    return notice


def read_answers(payload: bytes) -> list[Answered]:
    """Read what came by a process' own channel.

    Raises:
        Unreadable: it is none.
    """
    answers: list[Answered] = read(_bounded(payload), _decode_answers)
    return answers


def _bounded(payload: bytes) -> bytes:
    if len(payload) > MAX_BYTES:
        raise Unreadable("too_big")
    return payload
