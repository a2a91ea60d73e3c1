"""What travels between workers, and what is taken for it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.fakes import control, toast
from toastkit.backplane.redis.envelope import (
    MAX_BYTES,
    Unreadable,
    ensure_tellable,
    open_envelope,
    pack,
    unpack,
)
from toastkit.backplane.redis.notices import (
    Answered,
    Beat,
    Bye,
    Dismissed,
    Missed,
    Notice,
    encode,
    read_answers,
    read_notice,
)
from toastkit.events import Event

pytestmark = pytest.mark.plain

WORKER = "0123456789abcdef"


def test_an_event_arrives_as_it_was_packed() -> None:
    event = toast(seq=7, epoch="e1", expires_at=9, collapse_key="key", exclude="c1", replayed=True)
    assert unpack("user:u1", pack(event)) == event
    assert unpack("*", pack(control(count=3))) == control(count=3)


def test_what_only_the_publisher_needs_stays_with_it() -> None:
    event = toast(dedupe_key="secret", dedupe_ms=5, fallback=False)
    assert b"secret" not in pack(event)
    assert unpack("user:u1", pack(event)) == toast()


def test_whom_to_answer_travels_along() -> None:
    assert open_envelope("user:u1", pack(toast(), f"{WORKER}/7")).reply_to == f"{WORKER}/7"
    assert open_envelope("user:u1", pack(toast())).reply_to is None


TEXTS = st.text(st.characters(codec="utf-8"))
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.none() | st.booleans() | TEXTS | NUMBERS


@settings(max_examples=40)
@given(st.dictionaries(TEXTS, VALUES | st.lists(VALUES, max_size=3), max_size=4))
def test_any_data_arrives(data: dict[str, Any]) -> None:
    event = replace(toast(), data=data)
    assert unpack("user:u1", pack(event)) == event


def changed(**fields: object) -> bytes:
    return json.dumps(json.loads(pack(toast())) | fields).encode()


def without(field: str) -> bytes:
    rest = json.loads(pack(toast()))
    del rest[field]
    return json.dumps(rest).encode()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"{", "not_json"),
        (b"[" * 30_000, "wrong_shape"),
        (pack(toast()) + b"x", "not_json"),
        (b"null", "wrong_shape"),
        (b"[]", "wrong_shape"),
        (b"{}", "wrong_shape"),
        (changed(v=2), "wrong_shape"),
        (changed(v="1"), "wrong_shape"),
        (without("v"), "wrong_shape"),
        (without("route"), "wrong_shape"),
        (without("data"), "wrong_shape"),
        (changed(kind="other"), "wrong_shape"),
        (changed(seq=-1), "wrong_shape"),
        (changed(seq=10**30), "wrong_shape"),
        (changed(created_at=10**15), "wrong_shape"),
        (changed(expires_at=10**15), "wrong_shape"),
        (changed(seq="7"), "wrong_shape"),
        (changed(seq=1.5), "wrong_shape"),
        (changed(id=""), "wrong_shape"),
        (changed(data=[]), "wrong_shape"),
        (changed(more=1), "wrong_shape"),
        (changed(route="user:u2"), "wrong_route"),
        (changed(data={"title": "x" * MAX_BYTES}), "too_big"),
    ],
)
def test_what_is_no_event_of_this_route_is_refused(payload: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as refused:
        unpack("user:u1", payload)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"title": "no more"},
        {**toast().data, "title": 7},
        {**toast().data, "title": ""},
        {**toast().data, "style": "other"},
        {**toast().data, "data": []},
    ],
)
def test_a_toast_that_no_dialect_has_words_for_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(Unreadable, match="wrong_data"):
        ensure_tellable(replace(toast(), data=data))
    ensure_tellable(replace(control(), data=data))


def test_a_toast_with_a_field_of_a_later_version_is_told() -> None:
    ensure_tellable(replace(toast(), data=toast().data | {"later": 1}))


@settings(max_examples=40)
@given(st.binary(max_size=200))
def test_nothing_that_comes_is_more_than_unreadable(payload: bytes) -> None:
    for read in (lambda it: unpack("user:u1", it), read_notice, read_answers):
        with pytest.raises(Unreadable):
            read(payload)


@pytest.mark.parametrize(
    "notice",
    [
        Beat(WORKER),
        Beat(WORKER, hello=True),
        Bye(WORKER),
        Dismissed(WORKER, "u1", ("a" * 64,)),
        Missed(WORKER, ("user:u1",)),
    ],
)
def test_notices_arrive_as_they_were_sent(notice: Notice) -> None:
    assert read_notice(encode(notice)) == notice


def test_answers_arrive_as_they_were_sent() -> None:
    # The second is asked after three years of thousands in every second.
    answers = [Answered(1, WORKER, 0, 2), Answered(10**12, WORKER, 1, 1)]
    assert read_answers(encode(answers)) == answers


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b'[[1,"x",1,1]]',
        b'[[1,"0123456789abcdef",-1,0]]',
        b'[[1,"0123456789abcdef",1]]',
        b'[[1,"0123456789abcdef",1,1,1]]',
        b'[["1","0123456789abcdef",1,1]]',
        b'[[1,"0123456789abcdef",2000000000,1]]',
        b'[[1,"0123456789abcdef",1,1000001]]',
    ],
)
def test_what_is_no_answer_is_refused(payload: bytes) -> None:
    with pytest.raises(Unreadable):
        read_answers(payload)


@pytest.mark.parametrize(
    "payload",
    [
        b'{"kind":"beat","worker":"x"}',
        b'{"kind":"shout","worker":"0123456789abcdef"}',
        b'{"kind":"dismissed","worker":"0123456789abcdef","user_id":""}',
        b'{"kind":"dismissed","worker":"0123456789abcdef","user_id":"u","sessions":["x"]}',
        b'{"kind":"bye","worker":"0123456789abcdef","more":1}',
    ],
)
def test_what_is_no_notice_is_refused(payload: bytes) -> None:
    with pytest.raises(Unreadable):
        read_notice(payload)


def test_what_the_publisher_alone_decides_on_is_named_here() -> None:
    # A new field of an event has to be put into the envelope, or into this list.
    carried = msgspec.structs.fields(type(open_envelope("*", pack(control()))))
    left = {each.name for each in msgspec.structs.fields(Event)} - {each.name for each in carried}
    assert left == {"dedupe_key", "dedupe_ms", "fallback"}
