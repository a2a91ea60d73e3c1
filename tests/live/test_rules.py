"""The namespace first, then the host's own word."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from toastkit.hooks import Hooks
from toastkit.live import Rules


def test_A5_foreign_topics_are_dropped_and_the_order_is_kept() -> None:
    wanted = ["news", "user:u2", "user:u1:orders", "user:u10", "user:u1", "user:u1:*"]
    assert Rules(Hooks()).accepted("u1", wanted) == (
        "news",
        "user:u1:orders",
        "user:u1",
        "user:u1:*",
    )


def test_repeats_are_dropped() -> None:
    assert Rules(Hooks()).accepted("u1", ["a", "b", "a"]) == ("a", "b")


@pytest.mark.parametrize("text", [None, 5, [], {}, "", "user:", "user:u2:*", "*"])
def test_what_is_no_topic_of_ones_own_is_out_of_reach(text: Any) -> None:
    assert not Rules(Hooks()).in_namespace("u1", text)


def test_without_a_hook_the_host_is_not_asked() -> None:
    assert not Rules(Hooks()).ask_host


def test_the_host_may_narrow_but_not_widen() -> None:
    asked: list[Any] = []

    def authorize(user_id: str, action: str, topic: str) -> bool:
        asked.append((user_id, action, topic))
        return topic != "staff"

    rules = Rules(Hooks(authorize=authorize))
    assert rules.accepted("u1", ["staff", "news", "user:u2"]) == ("news",)
    assert asked == [("u1", "subscribe", "staff"), ("u1", "subscribe", "news")]


@pytest.mark.parametrize("answer", [None, 1, "yes", object(), False])
def test_only_true_means_yes(answer: Any) -> None:
    assert Rules(Hooks(authorize=lambda *_: answer)).accepted("u1", ["news"]) == ()


def test_hooks_named_later_count() -> None:
    hooks = Hooks()
    rules = Rules(hooks)
    hooks.authorize = lambda *_: False
    assert rules.ask_host
    assert rules.accepted("u1", ["news"]) == ()


def test_the_hook_runs_in_its_context() -> None:
    steps: list[str] = []

    @contextmanager
    def context() -> Iterator[None]:
        steps.append("enter")
        yield
        steps.append("leave")

    def authorize(*_: object) -> bool:
        steps.append("ask")
        return True

    Rules(Hooks(authorize=authorize), context).accepted("u1", ["a", "b"])
    assert steps == ["enter", "ask", "ask", "leave"]
