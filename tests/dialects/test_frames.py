"""``docs/asyncapi.json`` is what the dialect says and reads: no more, and no less."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from tests.fakes import control, toast
from tests.frames import CHANNELS, DOCUMENT, ROOT, SCHEMAS, judge, mistakes, told
from toastkit import errors, replies
from toastkit.closing import CloseReason
from toastkit.dialects import ToastsDialect, toasts
from toastkit.errors import CommandRefused
from toastkit.events import Event
from toastkit.records import Position, Unrecoverable
from toastkit.replies import Recovery, Reply
from toastkit.transports import LineFraming

pytestmark = pytest.mark.plain

COMMANDS = ("subscribe", "unsubscribe", "ping", "state", "ack", "refresh")
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]
DIALECT = ToastsDialect(LineFraming())

texts = st.text(st.characters(codec="utf-8"), max_size=8)
ids = (
    st.none()
    | texts
    | st.integers()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
)
moments = st.integers(0, 253_402_300_799_000)
topics = st.lists(texts, max_size=3).map(tuple)
positions = st.none() | st.builds(Position, st.integers(0, 2**63 - 1), texts)
recoveries = st.none() | st.builds(
    Recovery,
    replayed=st.integers(0, 200),
    reason=st.none() | st.sampled_from(["epoch_changed", "unknown_id", "too_many", "unavailable"]),
)
CODES = sorted(SCHEMAS["error"]["properties"]["code"]["enum"])
SAID: dict[type[Reply], st.SearchStrategy[Reply]] = {
    replies.Greeting: st.builds(
        replies.Greeting,
        id=st.none(),
        connection_id=st.uuids().map(str),
        topics=topics,
        position=positions,
        recovery=recoveries,
    ),
    replies.Subscribed: st.builds(
        replies.Subscribed, ids, topics, topics, position=positions, recovery=recoveries
    ),
    replies.Unsubscribed: st.builds(replies.Unsubscribed, ids, topics),
    replies.Pong: st.builds(replies.Pong, ids, moments),
    replies.StateSet: st.builds(replies.StateSet, ids, st.booleans()),
    replies.Acked: st.builds(replies.Acked, ids, topics),
    replies.Expiring: st.builds(replies.Expiring, st.none(), moments),
    replies.Refreshed: st.builds(replies.Refreshed, ids, moments),
    replies.Failure: st.builds(
        replies.Failure,
        ids,
        st.sampled_from(CODES),
        texts,
        st.none() | texts,
        retryable=st.booleans(),
    ),
}
"""Everything the core may let a dialect say of each kind."""

values = st.recursive(
    ids, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2)
)
shown = st.builds(
    toast,
    id=texts,
    topic=texts,
    created_at=moments,
    seq=st.integers(0, 2**63 - 1),
    epoch=texts,
    replayed=st.booleans(),
    expires_at=st.none() | moments,
    collapse_key=st.none() | texts,
    dedupe_key=st.none() | texts,
    data=st.fixed_dictionaries(
        {
            "title": texts,
            "body": st.none() | texts,
            "style": st.sampled_from(["info", "success", "warning", "error"]),
            "priority": st.sampled_from(["low", "normal", "high"]),
            "deeplink": st.none() | texts,
            "data": st.none() | st.dictionaries(texts, values, max_size=2),
        }
    ),
)
silent = st.builds(
    lambda name, params: control(name, **params),
    st.from_regex(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*", fullmatch=True),
    st.dictionaries(st.sampled_from(["id", "count", "up_to"]), values),
)


def line(frame: bytes | None) -> Any:
    assert frame is not None
    return json.loads(frame)


def test_the_document_is_one_of_asyncapi_3() -> None:
    kept = ROOT / "tests/kept/asyncapi-3.0.0.schema.json.gz"
    schema = json.loads(gzip.decompress(kept.read_bytes()))
    wrong = [
        f"{each.json_path}: {each.message}"
        for each in Draft7Validator(schema).iter_errors(DOCUMENT)
    ]
    assert not wrong, "\n".join(wrong)


def references(part: Any) -> set[str]:
    if isinstance(part, list):
        return {each for inner in part for each in references(inner)}
    if not isinstance(part, dict):
        return set()
    named = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
    return named | {each for inner in part.values() for each in references(inner)}


def test_every_reference_leads_somewhere_and_everything_is_referred_to() -> None:
    for reference in references(DOCUMENT):
        part: Any = DOCUMENT
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]
    for kind in ("schemas", "messages"):
        known = {f"#/components/{kind}/{name}" for name in DOCUMENT["components"][kind]}
        assert known <= references(DOCUMENT)


def test_every_example_is_as_described() -> None:
    for name, message in MESSAGES.items():
        assert message["examples"], name
        for example in message["examples"]:
            assert not mistakes(name, example["payload"], closed=True), name


def test_the_wire_version_is_stated() -> None:
    version = DOCUMENT["info"]["version"]
    assert version == "1"
    assert f"Version {version} of the wire" in (ROOT / "docs/wire.rst").read_text()


@pytest.mark.parametrize("kind", SAID, ids=lambda kind: kind.__name__)
def test_every_reply_is_described(kind: type[Reply]) -> None:
    @settings(max_examples=40, derandomize=True, database=None)
    @given(SAID[kind])
    def check(reply: Reply) -> None:
        assert not judge(line(DIALECT.reply(reply)))

    check()


@settings(max_examples=100, derandomize=True, database=None)
@given(shown | silent)
def test_every_event_is_described(event: Event) -> None:
    assert not judge(line(DIALECT.event(event)))
    assert not judge(line(DIALECT.event(event)), "stream")


@pytest.mark.parametrize("reason", CloseReason)
def test_every_end_of_a_stream_is_described(reason: CloseReason) -> None:
    assert not judge(line(DIALECT.close(reason)), "stream")
    assert not judge(line(DIALECT.framing.ping), "stream")


def test_no_kind_of_reply_is_forgotten_here() -> None:
    assert {kind.__name__ for kind in SAID} == {kind.__name__ for kind in Reply.__subclasses__()}


FULL: list[Any] = [
    *(
        line(DIALECT.reply(reply))
        for reply in [
            replies.Greeting(None, "c", (), Position(1, "e"), Recovery(0, "too_many")),
            replies.Subscribed(1, (), (), Position(1, "e"), Recovery(0, "too_many")),
            *(replies.Unsubscribed(1), replies.Pong(1), replies.StateSet(1), replies.Acked(1)),
            *(replies.Expiring(), replies.Refreshed(1), replies.Failure(1, topic="t")),
        ]
    ),
    line(
        DIALECT.event(
            toast(
                expires_at=1,
                collapse_key="k",
                dedupe_key="k",
                replayed=True,
                seq=1,
                epoch="e",
                data={"data": {}},
            )
        )
    ),
    line(DIALECT.event(control())),
    *(line(DIALECT.framing.ping), line(DIALECT.close(CloseReason.RESTART))),
]
"""One frame of each kind, with every field it may have."""


def test_no_frame_and_no_field_is_described_that_is_never_written() -> None:
    assert {frame["type"] for frame in FULL} == told("gateway") | told("stream")
    for frame in FULL:
        assert set(frame) == set(SCHEMAS[frame["type"]]["properties"]), frame["type"]
    full = next(frame["toast"] for frame in FULL if frame["type"] == "toast")
    assert set(full) == set(SCHEMAS["Toast"]["properties"])


@pytest.mark.parametrize("frame", FULL, ids=lambda frame: frame["type"])
def test_a_dialect_that_changes_needs_a_document_that_changes(frame: Any) -> None:
    channel = "stream" if frame["type"] in {"heartbeat", "close"} else "gateway"
    assert not judge(frame, channel)
    assert judge(frame | {"fresh": 1}, channel)
    assert judge(frame | {"type": "fresh"}, channel)
    for field in SCHEMAS[frame["type"]]["required"]:
        assert judge({name: value for name, value in frame.items() if name != field}, channel)


def test_every_close_code_is_described() -> None:
    described = [(each["code"], each["reason"]) for each in CHANNELS["gateway"]["x-close-codes"]]
    assert sorted(described) == sorted(
        (toasts.CODES[reason], reason.value) for reason in CloseReason
    )
    assert all(each["then"] for each in CHANNELS["gateway"]["x-close-codes"])


def test_every_code_of_an_error_frame_is_described() -> None:
    live = "".join(path.read_text() for path in Path(ROOT, "toastkit/live").glob("*.py"))
    said = set(re.findall(r'code="(\w+)"', live))
    said |= {kind.code for kind in CommandRefused.__subclasses__()}
    said |= {errors.TopicNotAllowed.code, replies.Failure().code}
    said |= {kind.code for kind in (errors.MissingToken, errors.TokenExpired, errors.InvalidToken)}
    assert said == set(CODES)
    assert set(SCHEMAS["connection_ack"]["properties"]["reason"]["enum"]) == set(
        Unrecoverable.__args__
    )


def reads(message: Any) -> bool:
    try:
        DIALECT.read(json.dumps(message).encode())
    except CommandRefused:
        return False
    return True


def described(message: Any) -> bool:
    kind = message.get("type") if isinstance(message, dict) else None
    return isinstance(kind, str) and kind in COMMANDS and not mistakes(f"command_{kind}", message)


LEFT_OUT = object()
EDGES: dict[str, list[Any]] = {
    "topics": [["a"], [], ["a", 1], [None], "a", {}, None, LEFT_OUT],
    "since": [
        *(LEFT_OUT, None, {"seq": 0, "epoch": ""}, {"seq": 2**63 - 1, "epoch": "x" * 64}),
        *({"seq": 2**63, "epoch": "e"}, {"seq": -1, "epoch": "e"}, {"seq": 0, "epoch": "x" * 65}),
        *({"seq": 1.5, "epoch": "e"}, {"seq": True, "epoch": "e"}, {"seq": "0", "epoch": "e"}),
        *({"seq": 0}, {"epoch": "e"}, {"seq": 0, "epoch": None}, {}, [], "0.e", 0, False),
    ],
    "last_toast_id": [LEFT_OUT, None, "x", "x" * 64, "x" * 65, "", 1, [], {}],
    "state": ["foreground", "background", "Background", "", 1, None, [], LEFT_OUT],
    "ids": [
        *(["x"], ["x"] * 100, ["x"] * 101, [], [""], ["x" * 64], ["x" * 65], ["x", 1]),
        *("x", {}, None, LEFT_OUT),
    ],
    "token": ["x", "x" * 4096, "x" * 4097, "", 1, None, [], LEFT_OUT],
    "id": [LEFT_OUT, None, "", "x" * 200, "x" * 201, 1, -1.5, True, [], {}, ["x"]],
    "unknown": [LEFT_OUT, {"a": [1]}],
}
"""Of each field the first value is sound; the others are at its edges, or beyond."""
FIELDS = {
    "subscribe": ("topics", "since", "last_toast_id"),
    "unsubscribe": ("topics",),
    "ping": (),
    "state": ("state",),
    "ack": ("ids",),
    "refresh": ("token",),
}


def messages(kind: str) -> Iterator[dict[str, Any]]:
    """Yield every message of a kind whose own fields are at their edges, and each field around."""
    own = FIELDS[kind]
    sound = {name: EDGES[name][0] for name in own}
    every = [dict(zip(own, given, strict=True)) for given in product(*map(EDGES.get, own))]
    every += [sound | {name: value} for name in ("id", "unknown") for value in EDGES[name]]
    for words in every:
        yield {"type": kind} | {k: v for k, v in words.items() if v is not LEFT_OUT}


@pytest.mark.parametrize("kind", COMMANDS)
def test_what_is_read_is_what_is_described(kind: str) -> None:
    read = [(message, reads(message)) for message in messages(kind)]
    assert {accepted for _, accepted in read} == {True, False}
    assert [message for message, accepted in read if accepted != described(message)] == []


@pytest.mark.parametrize(
    "message", [{}, [], None, 1, "ping", {"type": None}, {"type": ["ping"]}, {"type": "Ping"}]
)
def test_what_is_no_command_is_neither_read_nor_described(message: Any) -> None:
    assert not reads(message)
    assert not described(message)


@pytest.mark.parametrize("kind", COMMANDS)
def test_every_command_has_examples_that_are_read(kind: str) -> None:
    payloads = [each["payload"] for each in MESSAGES[f"command_{kind}"]["examples"]]
    assert payloads
    assert all(reads(payload) and payload["type"] == kind for payload in payloads)


def test_no_command_is_described_that_is_none() -> None:
    named = {name for name in MESSAGES if name.startswith("command_")}
    assert named == {f"command_{kind}" for kind in COMMANDS}
    with pytest.raises(CommandRefused, match=", ".join(COMMANDS[:-1])):
        DIALECT.read(b'{"type": "fresh"}')
