"""Each message gets its answer, in order, also where the host takes its time."""

import logging
from typing import Any

import pytest

from tests.fakes import Client, World, assert_empty, toast
from toastkit.hooks import Hooks


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Client:
    return world.connect()


def yes(*_: object) -> bool:
    return True


def codes(answers: list[Any]) -> list[Any]:
    return [each.get("code", each["type"]) if isinstance(each, dict) else each for each in answers]


def subscribe(*topics: str, **more: Any) -> dict[str, Any]:
    return {"type": "subscribe", "topics": topics, **more}


def test_A24_subscribe_is_acknowledged_with_all_topics(client: Client) -> None:
    assert client.say(subscribe("news", id=7)) == [
        {"type": "subscribe_ack", "id": 7, "topics": ["news"], "all_topics": ["user:u1", "news"]}
    ]


def test_A31_what_is_subscribed_is_heard_from_then_on(world: World, client: Client) -> None:
    assert world.hear(toast(topic="news")) == [(0, 1)]
    client.say(subscribe("news"))
    assert world.hear(toast(topic="news")) == [(1, 1)]


@pytest.mark.parametrize(
    "topic", ["user:u2", "user:u10", "user:u2:*", "USER:u1", "user:*", "*", ""]
)
def test_A24_a_foreign_topic_gets_an_error_frame(client: Client, topic: str) -> None:
    (answer,) = client.say(subscribe(topic, id="a"))
    assert answer["type"] == "error"
    assert answer["code"] == "topic_not_allowed"
    assert (answer["topic"], answer["id"], answer["retryable"]) == (topic, "a", False)


def test_rejected_topics_are_told_before_the_acknowledgement(client: Client) -> None:
    answers = client.say(subscribe("user:u2", "news", "user:u3"))
    assert codes(answers) == ["topic_not_allowed", "topic_not_allowed", "subscribe_ack"]
    assert [answers[0]["topic"], answers[1]["topic"]] == ["user:u2", "user:u3"]


def test_subscribing_again_is_acknowledged_again(client: Client) -> None:
    first = client.say(subscribe("news"))
    assert client.say(subscribe("news", "news")) == first


def test_subscribing_to_nothing_tells_what_is_heard(client: Client) -> None:
    (answer,) = client.say(subscribe())
    assert (answer["topics"], answer["all_topics"]) == ([], ["user:u1"])


def test_rejections_are_not_bad_messages(world: World, client: Client) -> None:
    for _ in range(30):
        client.say(subscribe("user:u2"))
        world.clock.advance(1)
    assert not client.connection.ending


def test_unsubscribed_topics_are_heard_no_longer(world: World, client: Client) -> None:
    client.say(subscribe("news"))
    assert client.say({"type": "unsubscribe", "topics": ["news", "other"], "id": 1}) == [
        {"type": "unsubscribe_ack", "id": 1, "topics": ["news", "other"]}
    ]
    assert world.hear(toast(topic="news")) == [(0, 1)]
    assert world.hear(toast()) == [(1, 1)]


def test_ping_is_answered(client: Client) -> None:
    assert client.say({"type": "ping", "id": "x"}) == [
        {"type": "pong", "id": "x", "ts": "2026-01-01T00:00:00+00:00"}
    ]


def test_the_client_says_when_nobody_looks(world: World, client: Client) -> None:
    assert client.say({"type": "state", "state": "background"}) == [
        {"type": "state_ack", "state": "background"}
    ]
    assert world.hear(toast()) == [(0, 0)]
    client.say({"type": "state", "state": "foreground"})
    assert world.hear(toast()) == [(1, 1)]


def test_unknown_and_bad_messages_are_told_apart(client: Client) -> None:
    assert codes(client.say({"type": "dance", "id": 3})) == ["unknown_message_type"]
    assert codes(client.say(b"nonsense")) == ["bad_message"]


def test_the_sixth_bad_message_closes_with_4009(client: Client) -> None:
    for _ in range(5):
        assert codes(client.say(b"[]")) == ["bad_message"]
    assert codes(client.say({"type": "dance"})) == [
        "unknown_message_type",
        "CLOSE 4009 too many errors",
    ]


def test_a_good_minute_forgives(world: World, client: Client) -> None:
    for _ in range(5):
        client.say(b"[]")
    pass_time(world, client, 60)
    for _ in range(5):
        assert codes(client.say(b"[]")) == ["bad_message"]
    pass_time(world, client, 59)
    assert codes(client.say(b"[]"))[1:] == ["CLOSE 4009 too many errors"]


def pass_time(world: World, client: Client, seconds: int) -> None:
    for _ in range(seconds):
        world.pass_time(1)
        client.connection.heard()
    client.news()


def test_forty_messages_at_once_are_fine_and_the_next_is_not(client: Client) -> None:
    answers = [codes(client.say({"type": "ping"})) for _ in range(41)]
    assert answers == [["pong"]] * 40 + [["rate_limited"]]


def test_a_message_is_due_every_fiftieth_of_a_second(world: World, client: Client) -> None:
    for _ in range(40):
        client.say({"type": "ping"})
    for _ in range(500):
        world.clock.advance(0.05)
        assert codes(client.say({"type": "ping"})) == ["pong"]
    assert codes(client.say({"type": "ping"})) == ["rate_limited"]


def test_what_came_too_fast_may_come_again(client: Client) -> None:
    for _ in range(40):
        client.say({"type": "ping"})
    (answer,) = client.say({"type": "ping"})
    assert answer["retryable"] is True


def test_who_goes_on_too_fast_is_closed_with_4009(client: Client) -> None:
    for _ in range(45):
        client.say({"type": "ping"})
    assert codes(client.say({"type": "ping"})) == ["rate_limited", "CLOSE 4009 too many errors"]
    assert client.say({"type": "ping"}) == []


@pytest.mark.parametrize("answer", [b"4:pong,", None])
def test_pings_and_pongs_count_like_messages(client: Client, answer: bytes | None) -> None:
    for _ in range(45):
        client.connection.pinged(answer)
        assert not client.connection.ending
    client.connection.pinged(answer)
    assert client.connection.ending
    told = codes(client.news())
    assert told[-7:] == ["rate_limited"] * 6 + ["CLOSE 4009 too many errors"]
    assert told[:-7] == (["pong"] * 40 if answer else [])


@pytest.mark.parametrize("type", ["subscribe", "unsubscribe"])
def test_too_many_topics_in_one_message(client: Client, type: str) -> None:
    topics = [f"t{number}" for number in range(51)]
    answers = client.say({"type": type, "topics": topics, "id": 9})
    assert codes(answers) == ["too_many_topics"]
    assert answers[0]["id"] == 9
    assert client.connection.topics == ("user:u1",)


def test_as_many_topics_as_one_may_name_and_hear(client: Client) -> None:
    answers = client.say(subscribe(*(f"t{number}" for number in range(50))))
    answers += client.say(subscribe(*(f"t{number}" for number in range(50, 99))))
    assert codes(answers) == ["subscribe_ack", "subscribe_ack"]
    assert len(client.connection.topics) == 100


def test_too_many_topics_on_one_connection(client: Client) -> None:
    for start in (0, 40):
        client.say(subscribe(*(f"t{number}" for number in range(start, start + 40))))
    before = client.connection.topics
    answers = client.say(subscribe(*(f"t{number}" for number in range(80, 100))))
    assert codes(answers) == ["too_many_topics"]
    assert client.connection.topics == before


def test_a_topic_as_long_as_a_message_is_told_shortened(client: Client) -> None:
    (answer,) = client.say(subscribe("x" * 10_000))
    assert answer["code"] == "topic_not_allowed"
    assert answer["topic"] == "x" * 200


TOASTS = ("01HXY7Z1AAAAAAAAAAAAAAAAAA", "01HXY7Z1BBBBBBBBBBBBBBBBBB")


def test_acks_are_owed_for_this_user_and_answered_when_asked(world: World, client: Client) -> None:
    answers = client.say({"type": "ack", "ids": [*TOASTS, TOASTS[0]], "id": 3})
    assert answers == [{"type": "ack_ack", "id": 3, "ids": [*TOASTS, TOASTS[0]]}]
    assert [(change.id, change.user_id, change.state) for change in world.inbox.changes] == [
        (TOASTS[0], "u1", "acked"),
        (TOASTS[1], "u1", "acked"),
    ]
    assert {change.at for change in world.inbox.changes} == {world.clock.now()}


def test_an_ack_without_an_id_is_not_answered(world: World, client: Client) -> None:
    assert client.say({"type": "ack", "ids": TOASTS}) == []
    assert len(world.inbox.changes) == 2


def test_what_is_no_id_is_not_asked_for(world: World, client: Client) -> None:
    assert codes(client.say({"type": "ack", "ids": ["\0", "x"], "id": 1})) == ["ack_ack"]
    assert world.inbox.changes == []


def test_acks_are_messages_like_others(client: Client) -> None:
    for _ in range(40):
        client.say({"type": "ack", "ids": TOASTS})
    assert codes(client.say({"type": "ack", "ids": TOASTS})) == ["rate_limited"]


# The host's hook may block, so it is asked beside the loop.


def test_the_answer_waits_for_the_host() -> None:
    world = World(Hooks(authorize=yes))
    client = world.connect()
    assert client.say(subscribe("news")) == []
    world.runtime.run_job()
    assert codes(client.news()) == ["subscribe_ack"]
    assert client.connection.backlog is None


def test_what_is_said_meanwhile_is_answered_in_order() -> None:
    world = World(Hooks(authorize=yes))
    client = world.connect()
    client.say(subscribe("a", id=1))
    for number, message in enumerate(
        [{"type": "ping"}, subscribe("b"), {"type": "ping"}, subscribe("c"), {"type": "ping"}]
    ):
        assert client.say({**message, "id": number + 2}) == []
    world.runtime.run_job()
    assert [each["id"] for each in client.news()] == [1, 2]
    client.say({"type": "ping", "id": 7})
    world.runtime.run_job()
    assert [each["id"] for each in client.news()] == [3, 4]
    world.runtime.run_job()
    assert [each["id"] for each in client.news()] == [5, 6, 7]
    assert client.connection.backlog is None
    assert not world.runtime.jobs


def test_one_question_to_the_host_at_a_time() -> None:
    world = World(Hooks(authorize=yes))
    client = world.connect()
    for _ in range(5):
        client.say(subscribe("a"))
    assert len(world.runtime.jobs) == 1


def test_what_the_host_refuses_is_not_allowed() -> None:
    world = World(Hooks(authorize=lambda user_id, action, topic: topic != "staff"))
    client = world.connect()
    client.say(subscribe("staff", "news"))
    world.runtime.run_job()
    assert codes(client.news()) == ["topic_not_allowed", "subscribe_ack"]
    assert client.connection.topics == ("user:u1", "news")


def test_a_hook_that_fails_refuses_for_now_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    def authorize(*_: object) -> bool:
        raise LookupError("no such user")

    world = World(Hooks(authorize=authorize))
    client = world.connect()
    client.say(subscribe("news", id=1))
    client.say({"type": "ping", "id": 2})
    with caplog.at_level(logging.ERROR, logger="toastkit"):
        world.runtime.run_job()
    refused, pong = client.news()
    assert (refused["code"], refused["id"], refused["retryable"]) == ("internal_error", 1, True)
    assert pong["id"] == 2
    assert "no such user" in caplog.text
    assert client.connection.topics == ("user:u1",)


def test_who_leaves_while_the_host_thinks_is_forgotten() -> None:
    world = World(Hooks(authorize=yes))
    client = world.connect()
    client.say(subscribe("news"))
    client.say({"type": "ping"})
    client.connection.lost()
    world.runtime.run_job()
    assert client.connection.backlog is None
    assert client.said() == []
    assert_empty(world.node)


def test_a_host_that_hangs_does_not_let_a_client_fill_the_memory() -> None:
    world = World(Hooks(authorize=yes), message_burst=5)
    client = world.connect()
    client.say(subscribe("news"))
    for _ in range(20):
        world.clock.advance(1)
        client.say({"type": "ping"})
    assert client.connection.ending
    assert len(client.connection.backlog or ()) == 5


def test_a_bad_message_is_told_while_the_host_thinks() -> None:
    world = World(Hooks(authorize=yes))
    client = world.connect()
    client.say(subscribe("news"))
    assert codes(client.say(b"nonsense")) == ["bad_message"]


def test_without_a_thread_to_ask_the_host_in_it_may_be_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(Hooks(authorize=yes))
    client = world.connect()

    def refuse(_: Any) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(world.runtime, "spawn", refuse)
        (error,) = client.say({"type": "subscribe", "topics": ["news"]})
    assert (error["code"], error["retryable"]) == ("internal_error", True)
    assert client.say({"type": "ping"})[0]["type"] == "pong"
