"""What a caller says becomes an event, or is refused with the field that is wrong."""

from typing import Any

import pytest

from toastkit.errors import Invalid, TooLarge, TopicNotAllowed
from toastkit.events import EVERYBODY, Toast
from toastkit.publishing import ToastOptions, control_event, toast_event

pytestmark = pytest.mark.plain

NOW = 1_767_225_600_000
ANON = "anon:0d9b1c9e-1c5f-4c39-9a41-5a3a1f6b7c11"


def draft(user_id: object = "u1", **options: Any) -> Any:
    return toast_event(user_id, Toast(title="Hello"), ToastOptions(dedupe_ms=5, **options), NOW)


def control(kind: Any, params: Any, user_id: object = None, most_bytes: int = 65_536) -> Any:
    return control_event(kind, params, user_id, NOW, most_bytes=most_bytes)


def test_A15_the_topic_is_ones_own_unless_named() -> None:
    assert draft().topic == "user:u1"
    assert draft(ANON).topic == f"user:{ANON}"


@pytest.mark.parametrize(
    "topic", ["user:u1", "user:u1:orders", "user:u1:a:b", "news", "shop:7:sale"]
)
def test_A15_ones_own_topics_and_those_of_nobody_are_taken(topic: str) -> None:
    assert draft(topic=topic).topic == topic


@pytest.mark.parametrize(
    "topic", ["user:u2", "user:u10", "user:u2:x", "user:u1:*", "user:*", "*", "USER:u1", "", "a b"]
)
def test_A15_foreign_topics_and_wildcards_are_refused(topic: str) -> None:
    with pytest.raises(TopicNotAllowed):
        draft(topic=topic)


def test_it_goes_to_its_principals_route() -> None:
    event = draft(42)
    assert (event.kind, event.route, event.user_id, event.name) == (
        "toast",
        "user:42",
        "42",
        "toast",
    )
    assert event.created_at == NOW
    assert event.fallback is True


def test_every_toast_has_an_id_of_its_own() -> None:
    assert draft().id != draft().id


@pytest.mark.parametrize("ttl", [0, 1, 5000, 5000.0])
def test_A30_the_time_to_live_counts_from_now(ttl: float) -> None:
    assert draft(ttl_ms=ttl).expires_at == NOW + int(ttl)


def test_A30_without_a_time_to_live_it_does_not_expire() -> None:
    assert draft().expires_at is None


@pytest.mark.parametrize(
    "ttl",
    [-1, 1.5, float("nan"), float("inf"), -float("inf"), True, "5", 10**400, 367 * 86_400_000],
)
def test_A30_other_times_to_live_are_refused(ttl: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        draft(ttl_ms=ttl)
    assert refusal.value.loc == ("ttl_ms",)


@pytest.mark.parametrize("field", ["dedupe_key", "collapse_key"])
@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb", "a\x00", "\ud800", 5, b"x"])
def test_bad_keys_are_refused(field: str, key: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        draft(**{field: key})
    assert refusal.value.loc == (field,)


@pytest.mark.parametrize("key", ["a", "order 7 / paid", "x" * 200, "ключ", None])
def test_good_keys_are_taken(key: Any) -> None:
    event = draft(dedupe_key=key, collapse_key=key)
    assert (event.dedupe_key, event.collapse_key) == (key, key)


@pytest.mark.parametrize("user_id", ["", None, "anon", "a:b", "u 1", "u1\n", 1.5, b"u1", ["u1"]])
def test_bad_user_ids_are_refused(user_id: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        draft(user_id)
    assert refusal.value.loc == ("user_id",)


def test_A27_a_control_goes_to_one_or_to_everybody() -> None:
    one = control("usage.changed", {"left": 3}, "u1")
    assert (one.kind, one.route, one.user_id, one.topic) == ("control", "user:u1", "u1", None)
    assert (one.name, one.data) == ("usage.changed", {"left": 3})
    assert control("flags.changed", {}).route == EVERYBODY


@pytest.mark.parametrize("kind", ["", ".", "a.", ".a", "a..b", "a b", "a-b", "a\n", "ä", None, 5])
def test_A27_bad_kinds_are_refused(kind: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        control(kind, {})
    assert refusal.value.loc == ("kind",)


@pytest.mark.parametrize("params", [[1], "ab", 5, [("a", 1)]])
def test_A27_params_are_a_mapping(params: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        control("a", params)
    assert refusal.value.loc == ("params",)


def test_a_control_may_be_as_large_as_the_limit_and_no_larger() -> None:
    room = 100 - len('{"text":""}')
    fits = control("a", {"text": "x" * room}, most_bytes=100)
    assert fits.data == {"text": "x" * room}
    with pytest.raises(TooLarge, match="100"):
        control("a", {"text": "x" * (room + 1)}, most_bytes=100)


@pytest.mark.parametrize("value", [object(), "\ud800", {object(): 1}])
def test_a_control_says_only_what_JSON_can(value: Any) -> None:
    with pytest.raises(Invalid, match="params must be JSON"):
        control("a", {"value": value})


def test_what_a_caller_changes_later_reaches_nobody() -> None:
    params = {"list": [1]}
    event = control("a", params)
    params["list"].append(2)
    assert event.data == {"list": [1]}


@pytest.mark.parametrize("user_id", ["", "a:b", 0.5])
def test_A27_a_control_for_a_bad_user_goes_to_nobody(user_id: Any) -> None:
    with pytest.raises(Invalid):
        control("a", {}, user_id)
