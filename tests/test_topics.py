"""Topics are compared by their segments; nothing that looks like a namespace spells another's."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toastkit.errors import TopicNotAllowed
from toastkit.topics import Topic, hears, own

pytestmark = pytest.mark.plain

UUID = "0d9b1c9e-1c5f-4c39-9a41-5a3a1f6b7c11"
ANON = f"anon:{UUID}"


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ("user:u1", "u1"),
        ("user:u1:orders", "u1"),
        ("user:u1:orders:late", "u1"),
        ("user:u1:*", "u1"),
        ("user:user_2abc", "user_2abc"),
        ("user:42", "42"),
        ("user:zoë", "zoë"),
        ("user:a@example.org:x", "a@example.org"),
        (f"user:{ANON}", ANON),
        (f"user:{ANON}:x", ANON),
        (f"user:{ANON}:*", ANON),
        ("user:u1:anon", "u1"),
        ("user:Anon", "Anon"),
        ("news", None),
        ("users:u1", None),
        ("shop:user:u2", None),
        ("a.b-c_d/e", None),
        ("новости", None),
        ("x" * 200, None),
    ],
)
def test_a_topic_knows_its_owner(text: str, owner: str | None) -> None:
    topic = Topic.parse(text)
    assert topic.owner == owner
    assert topic.wildcard == text.endswith(":*")


FOREIGN = [
    "user:u10",
    "user:u",
    "user:u2",
    "user:U1",
    "user:u1x",
    "user:u2:u1",
    "user:u2:*",
    "user:u2:user:u1",
    "user:\uff55\uff11",
    "user:u1\u0301",
    "user:u\u0131",
    f"user:{ANON}",
    f"user:{ANON}:u1",
    f"user:{ANON.upper()}",
    "user:user",
    "user:..",
    "user:u1%3Ax",
    "user:/u1",
]

NO_TOPICS = [
    *("", " ", "\t", "\n", "\x00", "\x7f", "\u00a0", "\u200b", "\u202e", "\ufeff", "\ud800"),
    *("user", "user:", "user::", "user::u1", "user:u1:", ":user:u1", ":", "::", "a:", ":a", "a::b"),
    *("*", "user:*", "user:*:x", "user:u*", "user:u1*", "user:u1:*:x", "user:u1:**"),
    *("user:u1:a*", "user:u1:*:*", "user:u1:x:*", "news:*", "a*b", "*:a"),
    *("USER", "USER:u1", "User:u1", "uSER:u1:x", "u\u017fer:u1", "U\u017fER:u2"),
    *("\uff55\uff53\uff45\uff52:u1", "\uff55ser:u1", "\U0001d42eser:u1", "\u1d58ser:u1"),
    *("user\uff1au1", "user\uff1au1:x", "user\ufe55u1", "user\ufe13u1"),
    *(" user:u1", "user:u1 ", "user :u1", "user: u1", "user:u 1", "user:u1\n", "\nuser:u1"),
    *("user:u1\x00", "user:u1\x00:x", "us\x00er:u1", "user:u1\r\nuser:u2", "user:u1\t:x"),
    *("user:u1\u202e", "user:\u200bu1", "us\u200ber:u1", "user:u1\ud800", "user:u1\u2028x"),
    *("user:anon", "user:anon:", "user:anon:x", "user:anon:*", "user:anon:u1:x"),
    *(f"user:anon:{UUID.upper()}", f"user:anon:{UUID.replace('-', '')}", f"user:anon:{{{UUID}}}"),
    *("x" * 201, "x" * 10_000, "user:" + "u" * 200, "user:u1:" + "x" * 10_000, ":" * 10_000),
]


def test_the_table_of_hostile_topics_is_long_enough() -> None:
    assert len({*FOREIGN, *NO_TOPICS}) >= 60


@pytest.mark.parametrize("text", FOREIGN)
def test_A24_what_is_somebody_elses_is_not_open(text: str) -> None:
    assert not Topic.parse(text).open_to("u1")


@pytest.mark.parametrize("text", NO_TOPICS)
def test_A24_what_is_no_topic_is_refused(text: str) -> None:
    with pytest.raises(TopicNotAllowed):
        Topic.parse(text)


@pytest.mark.parametrize("value", [None, 5, True, 1.5, b"user:u1", [], ["user:u1"], {}, object()])
def test_what_is_no_text_is_no_topic(value: Any) -> None:
    with pytest.raises(TopicNotAllowed):
        Topic.parse(value)


def test_what_cannot_even_be_written_is_no_topic() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(TopicNotAllowed):
        Topic.parse(deep)
    while deep:
        deep = deep.pop()


hostile = (
    st.text()
    | st.text(alphabet="user:*anonUSER\uff1a1\u017f \x00\n\ud800")
    | st.binary()
    | st.none()
)


@given(hostile)
def test_nothing_but_TopicNotAllowed_is_ever_raised(value: Any) -> None:
    try:
        topic = Topic.parse(value)
    except TopicNotAllowed:
        return
    assert topic.text == value


@given(st.text(alphabet=string.ascii_letters + "0:*", max_size=12))
def test_a_topic_open_to_u1_is_u1s_or_nobodys(rest: str) -> None:
    """Compared with the namespace rule written out by hand."""
    text = f"user:{rest}"
    try:
        mine = Topic.parse(text).open_to("u1")
    except TopicNotAllowed:
        return
    assert mine == (rest == "u1" or rest.startswith("u1:"))


def test_A5_ones_own_topic() -> None:
    assert own("u1") == "user:u1"


@pytest.mark.parametrize(
    ("topics", "topic", "heard"),
    [
        (("user:u1",), "user:u1", True),
        (("user:u1",), "user:u1:x", False),
        (("user:u1:*",), "user:u1:x", True),
        (("user:u1:*",), "user:u1:x:y", True),
        (("user:u1:*",), "user:u1", False),
        (("user:u1:*",), "user:u10:x", False),
        (("user:u1:x",), "user:u1:xy", False),
        ((), "news", False),
        (("a", "b"), "b", True),
    ],
)
def test_A31_who_hears_what(topics: tuple[str, ...], topic: str, heard: bool) -> None:
    assert hears(topics, topic) is heard
