"""What a caller gives becomes a toast that every client and database can take, or is refused."""

import typing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import toast
from toastkit.errors import Invalid
from toastkit.events import (
    CHOICES,
    MAX_DATA_BYTES,
    MAX_TTL_MS,
    Toast,
    collapse_key,
    control_name,
    key,
    ttl,
)

pytestmark = pytest.mark.plain


def test_a_title_is_enough() -> None:
    assert Toast.of("Hello") == Toast(title="Hello", style="info", priority="normal")


def test_a_mapping_is_read_and_unknown_fields_are_ignored() -> None:
    made = Toast.of({"title": "Hello", "style": "error", "image_url": "x"})
    assert (made.title, made.style, made.body) == ("Hello", "error", None)


def test_a_toast_is_taken_as_it_is() -> None:
    made = Toast(title="Hello", data={"a": [1]})
    assert Toast.of(made) == made


def test_a_toast_made_by_hand_is_checked_too() -> None:
    with pytest.raises(Invalid):
        Toast.of(Toast(title="Hello", style="loud"))  # type: ignore[arg-type]
    with pytest.raises(Invalid):
        Toast.of(Toast(title=""))


@pytest.mark.parametrize(
    "given_toast",
    [
        *(None, 5, True, [], [1], b"abc", {}, {1: 2}, {"title": "x", 1: 2}, {"body": "x"}),
        *("", " ", "\t\n", "\u3000", "x" * 201, "a\x00b", "\ud800"),
        *({"title": value} for value in (None, 5, "", "  ", ["x"], b"x")),
        *({"title": "x", "body": value} for value in (5, "x" * 2001, "\x00", "\udfff", [])),
        *({"title": "x", "style": value} for value in ("loud", "", None, "INFO", 1, "\ud800")),
        *({"title": "x", "priority": value} for value in ("urgent", None, 5, [])),
        *({"title": "x", "data": value} for value in ("x", 5, [], True, {1: 2}, {"a": object})),
        {"title": "x", "data": {"a": "\ud800"}},
        {"title": "x", "\ud800": 1},
    ],
    ids=repr,
)
def test_what_is_no_toast_is_refused(given_toast: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        Toast.of(given_toast)
    assert refusal.value.loc[0] == "toast"


def test_data_that_holds_itself_is_refused() -> None:
    data: dict[str, Any] = {}
    data["self"] = data
    with pytest.raises(Invalid):
        Toast.of({"title": "x", "data": data})


def test_lengths_are_counted_in_characters_to_the_last() -> None:
    made = Toast.of({"title": "é" * 200, "body": "é" * 2000})
    assert (len(made.title), len(made.body or "")) == (200, 2000)


def test_data_is_at_most_4_KB_of_JSON() -> None:
    frame = len('{"a":""}')
    fits = {"a": "x" * (MAX_DATA_BYTES - frame)}
    assert Toast.of({"title": "x", "data": fits}).data == fits
    with pytest.raises(Invalid, match="at most 4096 bytes"):
        Toast.of({"title": "x", "data": {"a": fits["a"] + "x"}})


LINKS = [
    *("/", "/orders/7", "/orders?x=1#top", "https://example.org/a", "http://example.org"),
    *("myapp://orders/7", "mailto:a@example.org", "tel:+49123", "com.example.app:/x", "x:"),
    *(
        "https://example.org/?next=javascript:alert(1)",
        "/javascript:alert(1)",
        "HTTPS://EXAMPLE.ORG",
    ),
]


@pytest.mark.parametrize("link", LINKS)
def test_a_deeplink_is_a_uri_or_a_path(link: str) -> None:
    assert Toast.of({"title": "x", "deeplink": link}).deeplink == link


HOSTILE_LINKS = [
    *("javascript:alert(1)", "JaVaScRiPt:alert(1)", "javascript://%0aalert(1)", "javascript:"),
    *(" javascript:alert(1)", "\tjavascript:alert(1)", "java\nscript:alert(1)", "java\tscript:x"),
    *("\x00javascript:alert(1)", "\x01javascript:x", "java\x00script:x", "javascript\n:alert(1)"),
    *("javascript :alert(1)", "\u00a0javascript:x", "\u200bjavascript:x", "\ufeffjavascript:x"),
    *("javascript&colon;alert(1)", "javascript&#58;alert(1)", "&#106;avascript:alert(1)"),
    *("&#x6A;avascript:alert(1)", "%6aavascript:alert(1)", "java%0ascript:alert(1)"),
    *("\uff4aavascript:alert(1)", "java\u017fcript:alert(1)", "javascript\uff1aalert(1)"),
    *("data:text/html,<script>alert(1)</script>", "DATA:text/html;base64,PHN2Zz4=", "data:,"),
    *("vbscript:msgbox(1)", "VBScript:x", "//evil.example", "///evil.example", "/\\evil.example"),
    *("\\\\evil.example", "/\t/evil.example", "/\n/evil.example", "", " ", "orders/7", "?x", "#x"),
    *("https://example.org/a b", "https://example.org/\n", "/a\x00b", "/a\u202eb", "/\ud800"),
    *("x" * 2001, ":", ":x", "1a:b", "-a:b", "/" + "x" * 2000),
]


@pytest.mark.parametrize("link", [*HOSTILE_LINKS, 5, [], True], ids=lambda link: repr(link)[:40])
def test_a_deeplink_that_could_run_or_mislead_is_refused(link: Any) -> None:
    with pytest.raises(Invalid):
        Toast.of({"title": "x", "deeplink": link})


@given(st.text(max_size=30))
def test_a_deeplink_that_is_taken_has_no_script_scheme(text: str) -> None:
    """Compared with how a browser reads a scheme: control characters and blanks are dropped."""
    try:
        Toast.of({"title": "x", "deeplink": text})
    except Invalid:
        return
    seen = "".join(char for char in text if char > " ").lower()
    assert not seen.startswith(("javascript:", "data:", "vbscript:", "//", "/\\"))


@given(
    st.none()
    | st.text()
    | st.dictionaries(st.text(), st.none() | st.text() | st.integers() | st.floats())
)
def test_nothing_but_Invalid_is_ever_raised(value: Any) -> None:
    try:
        Toast.of(value)
    except Invalid as refusal:
        assert refusal.detail  # noqa: PT017


@pytest.mark.parametrize(
    ("expires_at", "now", "expired"), [(None, 10**15, False), (10, 9, False), (10, 10, True)]
)
def test_A30_an_event_expires_at_its_time(expires_at: int | None, now: int, expired: bool) -> None:
    assert toast(expires_at=expires_at).expired(now) is expired


@pytest.mark.parametrize("value", [None, "a", "x" * 200])
def test_keys_that_are_taken(value: str | None) -> None:
    assert key(value, "dedupe_key") == value


@pytest.mark.parametrize("value", ["", "x" * 201, "\n", 5])
def test_keys_that_are_refused_name_their_field(value: Any) -> None:
    with pytest.raises(Invalid, match="collapse_key must be 1-200"):
        key(value, "collapse_key")
    with pytest.raises(Invalid, match="collapse_key must be 1-200"):
        collapse_key(value)


@pytest.mark.parametrize(
    "value", [None, "a", "x" * 200, "order/17", "a.b", "...", "50%", "a\\b", "Bestellung größer"]
)
def test_collapse_keys_that_are_taken(value: str | None) -> None:
    assert collapse_key(value) == value


@pytest.mark.parametrize(
    "value",
    [
        *("..", ".", "../a", "a/../b", "a/.", "./a", "a\\..\\b", "/../../etc/passwd"),
        *("%2e%2e/a", "..%2fa", "a%0d%0ab: c", "a%00", "a%7Fb"),
    ],
)
def test_a_collapse_key_that_leads_elsewhere_is_refused(value: str) -> None:
    with pytest.raises(Invalid, match="collapse_key must not have the part") as refusal:
        collapse_key(value)
    assert refusal.value.loc == ("collapse_key",)
    assert key(value, "dedupe_key") == value  # that one never leaves


@pytest.mark.parametrize(
    ("value", "whole"), [(None, None), (0, 0), (5, 5), (5.0, 5), (MAX_TTL_MS, MAX_TTL_MS)]
)
def test_times_to_live_that_are_taken(value: Any, whole: int | None) -> None:
    assert ttl(value) == whole


@pytest.mark.parametrize(
    "value", [-1, 0.5, float("nan"), float("inf"), True, "5", MAX_TTL_MS + 1, []]
)
def test_times_to_live_that_are_refused(value: Any) -> None:
    with pytest.raises(Invalid, match="ttl_ms"):
        ttl(value)


@pytest.mark.parametrize("kind", ["usage.changed", "flags.changed", "a", "A_1.b_2.c"])
def test_A27_kinds_that_are_taken(kind: str) -> None:
    assert control_name(kind) == kind


def test_data_is_copied_as_JSON_carries_it() -> None:
    data = {"when": {1}, "list": [1]}
    toast = Toast.of({"title": "Hello", "data": data})
    data["list"].append(2)
    assert toast.data == {"when": [1], "list": [1]}


def test_a_wrong_word_is_told_the_right_ones() -> None:
    with pytest.raises(Invalid, match="style must be one of info, success, warning, error"):
        Toast.of({"title": "Hello", "style": "blue"})


def test_what_is_no_toast_is_told_what_one_is() -> None:
    with pytest.raises(Invalid, match="a mapping or a title, not int"):
        Toast.of(5)  # type: ignore[arg-type]


def test_the_choices_told_are_those_of_the_type() -> None:
    hints = typing.get_type_hints(Toast)
    assert {field: typing.get_args(hints[field]) for field in CHOICES} == CHOICES
