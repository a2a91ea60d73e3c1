"""What a client was told in a whole day is in ``docs/asyncapi.json``, frame by frame."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes import World, control, toast
from tests.frames import CHANNELS, SCHEMAS, judge, told
from tests.live.test_recovery import settle
from toastkit.closing import CloseReason
from toastkit.records import Position, Since
from toastkit.replies import Failure

pytestmark = pytest.mark.plain


def test_everything_a_client_is_told_is_described() -> None:
    heard = [frame for frame in day() if isinstance(frame, dict)]
    assert [(frame, wrong) for frame in heard if (wrong := judge(frame))] == []
    assert {frame["type"] for frame in heard} == told("gateway")
    codes = {frame["code"] for frame in heard if frame["type"] == "error"}
    assert codes >= {"bad_message", "unknown_message_type", "topic_not_allowed", "too_many_topics"}
    assert codes < set(SCHEMAS["error"]["properties"]["code"]["enum"])
    closes = {
        f"CLOSE {each['code']} {each['reason']}" for each in CHANNELS["gateway"]["x-close-codes"]
    }
    ends = {frame for frame in day() if isinstance(frame, str) and frame.startswith("CLOSE")}
    assert ends
    assert ends < closes


def day() -> list[Any]:
    """Return everything three clients were told, from the greeting to the close."""
    world = World(topics_per_message=3)
    missed = world.keep(toast())
    late = world.open(world.admit(since=Since(position=Position(0, "e1"))))
    settle(world)
    lost = world.open(world.admit(since=Since(toast_id="")))
    settle(world)
    client = world.open(world.admit())
    said: list[Any] = []
    for message in _messages(missed.id):
        said += client.say(message)
        settle(world)
        said += client.news()
    world.hear(
        toast(
            data={"data": {"a": 1}},
            collapse_key="k",
            dedupe_key="d",
            expires_at=world.clock.now() + 10**9,
        )
    )
    world.hear(control("usage.changed", "user:u1"))
    world.tickets["fresh"] = world.ticket()
    said += client.say({"type": "refresh", "token": "fresh", "id": 9})
    settle(world)
    world.clock.advance(900 - 60)  # at once: nobody is missed meanwhile
    world.pass_time(2)
    settle(world)
    said += client.say({"type": "refresh", "token": "unknown"})
    settle(world)
    refused = world.open(world.refuse(CloseReason.TOKEN_MISSING, Failure(code="missing_token")))
    return [*said, *late.news(), *lost.news(), *client.news(), *refused.news()]


def _messages(id: str) -> list[Any]:
    return [
        {"type": "subscribe", "topics": ["user:u1:x", "user:u2"], "id": "s"},
        {"type": "subscribe", "topics": ["a", "b", "c", "d"]},
        {"type": "subscribe", "topics": [], "since": {"seq": 0, "epoch": "e1"}},
        {"type": "unsubscribe", "topics": ["user:u1:x"]},
        {"type": "state", "state": "background", "id": True},
        {"type": "ping", "id": 1.5},
        {"type": "ack", "ids": [id], "id": 0},
        {"type": "fresh"},
        b"no JSON",
    ]
