"""A body is read into what it means, or refused with the field that is wrong."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from toastkit.dialects import read_body, read_publish
from toastkit.errors import Invalid
from toastkit.events import Toast

WHOLE = {"user_id": "u1", "topic": "user:u1", "toast": {"title": "Hello"}}


def raw(**changes: Any) -> bytes:
    return json.dumps({**WHOLE, **changes}).encode()


def test_A15_a_publish_is_read_with_its_defaults() -> None:
    request = read_publish(raw())
    assert (request.user_id, request.topic, request.toast) == (
        "u1",
        "user:u1",
        Toast(title="Hello"),
    )
    assert (request.dedupe_key, request.collapse_key, request.ttl_ms) == (None, None, None)
    assert request.fallback_apns is True


def test_A15_everything_a_publish_may_say() -> None:
    request = read_publish(
        raw(user_id=7, dedupe_key="d", collapse_key="c", ttl_ms=5000, fallback_apns=False, more=1)
    )
    assert (request.user_id, request.dedupe_key, request.collapse_key) == (7, "d", "c")
    assert (request.ttl_ms, request.fallback_apns) == (5000, False)


@pytest.mark.parametrize("field", ["user_id", "topic", "toast"])
def test_A15_a_missing_field_is_named(field: str) -> None:
    body = {name: value for name, value in WHOLE.items() if name != field}
    with pytest.raises(Invalid) as refusal:
        read_publish(json.dumps(body).encode())
    assert refusal.value.detail == f"{field} required"
    assert (refusal.value.loc, refusal.value.type) == ((field,), "missing")


def test_A15_a_title_that_is_empty_is_missing() -> None:
    with pytest.raises(Invalid) as refusal:
        read_publish(raw(toast={"title": ""}))
    assert refusal.value.detail == "title required"
    assert (refusal.value.loc, refusal.value.type) == (("toast", "title"), "missing")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("user_id", value) for value in (None, True, 1.5, [], {})),
        *(("topic", value) for value in (None, 5, ["a"])),
        *(("toast", value) for value in (None, "Hello", [], 5)),
        *(("dedupe_key", value) for value in (5, [], True)),
        *(("collapse_key", value) for value in (5, {})),
        *(("ttl_ms", value) for value in ("5", True, [], {})),
        *(("fallback_apns", value) for value in (None, 0, "false")),
    ],
)
def test_A15_a_wrong_type_is_named(field: str, value: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        read_publish(raw(**{field: value}))
    assert (refusal.value.loc, refusal.value.type) == ((field,), "type")
    assert refusal.value.detail.startswith(f"{field}: ")


HOSTILE = [
    *(b"", b" ", b"null", b"[]", b"5", b'"x"', b"{", b"{]", b"\xff", b"\xef\xbb\xbf{}", b"\x00"),
    *(b"[" * 60_000, b'{"a":' * 12_000, b'{"user_id":NaN}', b'{"topic":"\\ud800"}'),
    *(b'{"topic":"\xed\xa0\x80"}', b"{'user_id':1}", b'{"user_id":"u1",}', b"user_id=u1"),
]


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid) as refusal:
        read_publish(body)
    assert refusal.value.detail == "body must be a JSON object"


class Nested(Struct):
    inner: list[int]


class Outer(Struct):
    outer: Nested


def test_a_field_inside_is_named_by_its_path() -> None:
    with pytest.raises(Invalid) as refusal:
        read_body(b'{"outer":{"inner":[1,"2"]}}', Outer)
    assert refusal.value.loc[:2] == ("outer", "inner")
    with pytest.raises(Invalid) as refusal:
        read_body(b'{"outer":{}}', Outer)
    assert (refusal.value.detail, refusal.value.loc) == ("inner required", ("outer", "inner"))


@given(st.binary(max_size=100))
def test_nothing_but_Invalid_is_ever_raised(body: bytes) -> None:
    with pytest.raises(Invalid):
        read_publish(body)
