"""A user id can be written into a topic and read back out of it, whoever chose it."""

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toastkit.errors import Invalid
from toastkit.principals import is_anonymous, route, user_id
from toastkit.topics import Topic, own

UUID = uuid.UUID("0d9b1c9e-1c5f-4c39-9a41-5a3a1f6b7c11")


@pytest.mark.parametrize(
    ("given_id", "text"),
    [
        ("u1", "u1"),
        (7, "7"),
        (0, "0"),
        (-1, "-1"),
        (UUID, str(UUID)),
        (f"anon:{UUID}", f"anon:{UUID}"),
        ("a@example.org", "a@example.org"),
        ("zoë", "zoë"),
        ("Anon", "Anon"),
        ("anonymous", "anonymous"),
        ("x" * 200, "x" * 200),
        (10**199, str(10**199)),
    ],
)
def test_user_ids_are_text(given_id: Any, text: str) -> None:
    assert user_id(given_id) == text


@pytest.mark.parametrize("value", [None, ""])
def test_what_names_nobody_is_required(value: Any) -> None:
    with pytest.raises(Invalid, match="user_id required") as refusal:
        user_id(value)
    assert (refusal.value.loc, refusal.value.type) == (("user_id",), "missing")


@pytest.mark.parametrize("value", [True, False, 1.5, b"u1", [], {}, object()])
def test_what_is_no_id_is_told_what_one_is(value: Any) -> None:
    with pytest.raises(Invalid, match=f"text, an int or a UUID, not {type(value).__name__}") as no:
        user_id(value)
    assert (no.value.loc, no.value.type) == (("user_id",), "type")


@pytest.mark.parametrize("value", ["x" * 201, 10**200, -(10**200)])
def test_too_long_is_refused(value: Any) -> None:
    with pytest.raises(Invalid, match="1-200 chars"):
        user_id(value)


def test_an_int_python_refuses_to_write_is_refused() -> None:
    with pytest.raises(Invalid, match="1-200 chars"):
        user_id(10**5000)


@pytest.mark.parametrize(
    "value",
    [
        *("anon", "a:b", ":", "*", "a*", "a b", " a", "a ", "a\n", "a\x00", "a\t", "\u200b"),
        *("\ud800", "a\u202eb", "a\u00a0b", "a\u2028b", "\x7f"),
        *("anon:", "anon:x", "anon:*", f"anon:{UUID}:x", f"anon:{UUID} ", f"anon:{UUID.hex}"),
        *(f"anon:{{{UUID}}}", f"anon:{str(UUID).upper()}", f"anon:urn:uuid:{UUID}", "anon:anon"),
    ],
)
def test_what_could_spell_a_namespace_is_refused(value: str) -> None:
    with pytest.raises(Invalid) as refusal:
        user_id(value)
    assert refusal.value.type == "characters"


def test_the_field_is_named() -> None:
    with pytest.raises(Invalid, match="sub required") as refusal:
        user_id(None, "sub")
    assert refusal.value.loc == ("sub",)


@given(st.text() | st.integers() | st.uuids())
def test_every_user_id_owns_its_topics(value: Any) -> None:
    try:
        text = user_id(value)
    except Invalid:
        return
    if len(own(text)) <= 200:
        assert Topic.parse(own(text)).owner == text


def test_B9_anonymous_principals_are_known_by_their_prefix() -> None:
    assert is_anonymous(f"anon:{UUID}")
    assert not is_anonymous("anonymous")


def test_A26_the_route_is_keyed_on_the_user() -> None:
    assert route("u1") == "user:u1"
