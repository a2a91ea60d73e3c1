"""Who missed toasts gets them in order, each once, before what is live; or is told that it cannot.

Its steps, as a test takes them: a client asks (``say``), the read begins (``run``), it is read
(``read``), and what was read comes back (``run``).
"""

import json
import logging
from typing import Any

import pytest

from tests.fakes import Client, FakeTransport, World, assert_empty, control, toast
from toastkit.closing import CloseReason
from toastkit.events import Event
from toastkit.hooks import Hooks
from toastkit.records import Position, Since

SLOW = "CLOSE 4008 slow consumer"


@pytest.fixture
def world() -> World:
    return World()


def at(seq: int, epoch: str = "e1") -> Since:
    return Since(position=Position(seq, epoch))


def read(world: World) -> None:
    """Let the oldest job read; what it found is still on its way to the loop."""
    world.runtime.jobs.popleft()()


def settle(world: World) -> None:
    """Let everything that was asked be read and told."""
    world.runtime.run()
    while world.runtime.jobs:
        world.runtime.run_job()


def short(frame: Any) -> Any:
    """Return a toast as its seq, negative when it is replayed; an answer by its word."""
    if not isinstance(frame, dict):
        return frame
    if frame["type"] == "toast":
        return -frame["seq"] if frame.get("replayed") else frame["seq"]
    return frame.get("code", frame["type"])


def news(client: Client) -> list[Any]:
    """Return what the client was told since; whose turn it is to be pinged is chance."""
    return [short(frame) for frame in client.news() if frame != "PING"]


def told(client: Client) -> list[Any]:
    return [short(frame) for frame in client.said()]


def subscribe(seq: int | None, *topics: str, epoch: str = "e1", **more: Any) -> dict[str, Any]:
    since = {} if seq is None else {"since": {"seq": seq, "epoch": epoch}}
    return {"type": "subscribe", "topics": topics, **since, **more}


def keep(world: World, count: int, **given: Any) -> list[Event]:
    """Let another process store toasts."""
    return [
        world.keep(toast(id=f"t{world.places.get('u1', 0) + 1}", **given)) for _ in range(count)
    ]


def marked(world: World) -> list[tuple[str, str]]:
    return [(change.id, change.state) for change in world.inbox.changes]


# At the door


def test_A19_who_comes_back_is_told_what_it_missed_after_its_greeting(world: World) -> None:
    keep(world, 4)
    client = world.open(world.admit(since=at(1)))
    greeting = client.said()[0]
    assert (greeting["type"], greeting["seq"], greeting["epoch"]) == ("connection_ack", 4, "e1")
    assert (greeting["recovered"], greeting["replayed"]) == (True, 3)
    assert "reason" not in greeting
    assert told(client)[1:] == [-2, -3, -4]
    assert client.connection.catching is None


def test_then_come_live_toasts(world: World) -> None:
    keep(world, 2)
    connection = world.admit(since=at(1))
    world.hear(toast())
    client = world.open(connection)
    world.hear(toast())
    assert told(client)[1:] == [-2, 3, 4]


def test_who_missed_nothing_is_told_so(world: World) -> None:
    keep(world, 2)
    greeting, *rest = world.open(world.admit(since=at(2))).said()
    assert (greeting["recovered"], greeting["replayed"], rest) == (True, 0, [])


def test_who_was_there_before_the_first_toast_recovers(world: World) -> None:
    keep(world, 2)
    assert told(world.open(world.admit(since=at(0, ""))))[1:] == [-1, -2]


def test_the_last_toast_somebody_knows_is_as_good_as_a_position(world: World) -> None:
    events = keep(world, 3)
    client = world.open(world.admit(since=Since(toast_id=events[0].id)))
    assert told(client)[1:] == [-2, -3]


@pytest.mark.parametrize(
    ("since", "reason"),
    [
        (at(2, "e0"), "epoch_changed"),
        (at(9), "epoch_changed"),
        (Since(toast_id="nobody's"), "unknown_id"),
        (at(0), "too_many"),
    ],
)
def test_what_cannot_be_recovered_is_told_and_nothing_is_replayed(
    since: Since, reason: str
) -> None:
    world = World(replay_most=2)
    keep(world, 3)
    client = world.open(world.admit(since=since))
    (greeting,) = client.news()
    assert (greeting["recovered"], greeting["replayed"]) == (False, 0)
    assert (greeting["reason"], greeting["seq"]) == (reason, 3)
    world.hear(toast())
    assert news(client) == [4]


def test_storage_that_cannot_be_read_is_told_in_the_greeting(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    keep(world, 3)
    world.inbox.broken = True
    with caplog.at_level(logging.WARNING, logger="toastkit"):
        client = world.open(world.admit(since=at(1)))
    (greeting,) = client.news()
    assert (greeting["recovered"], greeting["reason"]) == (False, "unavailable")
    assert (greeting["seq"], greeting["replayed"]) == (3, 0)
    assert "could not be read" in caplog.text
    world.inbox.broken = False
    world.hear(toast())
    assert news(client) == [4]


def begin_at_door(world: World, since: Since, *topics: str, **more: Any) -> Any:
    """Let somebody come whose read has begun, without waiting for it."""
    wait, world.node._recoveries.wait = world.node._recoveries.wait, lambda connection: None
    connection = world.admit("u1", *topics, since=since, **more)
    world.node._recoveries.wait = wait
    world.runtime.run()
    return connection


def test_a_read_that_takes_two_seconds_is_given_up(world: World) -> None:
    keep(world, 3)
    connection = begin_at_door(world, at(1))
    world.pass_time(1)
    world.runtime.run()
    assert connection.catching is not None
    world.pass_time(1)
    world.runtime.run()
    settle(world)
    (greeting,) = world.open(connection).said()
    assert (greeting["recovered"], greeting["reason"]) == (False, "unavailable")


def test_A22_nothing_comes_before_the_greeting(world: World) -> None:
    keep(world, 2)
    client = world.open(begin_at_door(world, at(1)))
    world.hear(control())
    world.hear(toast())
    assert told(client) == []
    settle(world)
    assert told(client) == ["connection_ack", -2, 3, "control"]


def test_who_leaves_while_it_is_read_is_forgotten(world: World) -> None:
    keep(world, 2)
    connection = begin_at_door(world, at(1))
    answers = world.hear(toast())
    connection.lost()
    assert answers == [(0, 0)]
    settle(world)
    assert_empty(world.node)
    assert connection.catching is None


def test_who_is_told_to_go_while_it_is_read_need_not_be_waited_for(world: World) -> None:
    keep(world, 2)
    world.runtime.call(lambda: world.node.dismiss("u1", CloseReason.TOKEN_REVOKED))
    connection = world.admit(since=at(1))
    assert world.open(connection).said() == ["CLOSE 4001 token revoked"]


def test_a_full_worker_reads_nothing(world: World) -> None:
    world = World(connections=1)
    world.connect()
    assert told(world.open(world.admit(since=at(1))))[0] == "too_many_connections"
    assert world.inbox.asked == []


# With a subscribe


def test_A19_a_subscribe_recovers_before_it_is_live(world: World) -> None:
    client = world.connect()
    keep(world, 2)
    keep(world, 1, topic="news")
    world.places["u1"] = 3
    client.connection.seq, client.connection.epoch = 3, "e1"
    assert client.say(subscribe(0, "news", id=7)) == []
    settle(world)
    ack, frame = client.news()
    assert ack == {
        "type": "subscribe_ack",
        "id": 7,
        "topics": ["news"],
        "all_topics": ["user:u1", "news"],
        "seq": 3,
        "epoch": "e1",
        "recovered": True,
        "replayed": 1,
    }
    assert (frame["seq"], frame["replayed"], frame["topic"]) == (3, True, "news")


def test_the_read_asks_for_no_more_than_it_may_tell() -> None:
    world = World(replay_most=7)
    world.open(world.admit(since=at(0, "")))
    assert world.inbox.asked == [("u1", at(0, ""), 7)]


@pytest.mark.parametrize("when", ["asked", "begun", "read", "told"])
def test_a_live_toast_comes_once_and_in_its_place(world: World, when: str) -> None:
    keep(world, 2)
    client = world.connect("u1", "user:u1")
    client.say(subscribe(0, "news", "user:u1"))
    answers: list[Any] = []
    if when == "asked":
        answers = world.hear(toast())
    world.runtime.run()
    if when == "begun":
        answers = world.hear(toast())
    read(world)
    if when == "read":
        answers = world.hear(toast())
    world.runtime.run()
    if when == "told":
        answers = world.hear(toast())
    assert news(client) == ["subscribe_ack", -1, -2, 3]
    assert answers == [(1, 1)]
    world.hear(toast())
    assert news(client) == [4]


@pytest.mark.parametrize("told_first", [True, False])
def test_a_toast_that_was_read_before_it_was_told_comes_once(
    world: World, told_first: bool
) -> None:
    keep(world, 1)
    client = world.connect("u1")
    client.say(subscribe(0, "user:u1"))
    world.runtime.run()
    late = world.keep(toast())  # committed, and on its way to the loop
    read(world)
    if told_first:
        answers = world.hear(late)
        world.runtime.run()
    else:
        world.runtime.run()
        answers = world.hear(late)
    assert answers == [(1, 1)]
    assert [abs(seq) for seq in news(client)[1:]] == [1, 2]
    assert client.connection.seq == 2


def test_what_this_connection_was_told_is_not_replayed(world: World) -> None:
    keep(world, 2)
    client = world.connect("u1")
    world.hear(toast())
    world.hear(toast())
    client.news()
    client.say(subscribe(1, "user:u1"))
    settle(world)
    assert news(client) == ["subscribe_ack", -2]


def test_what_was_replayed_on_this_connection_is_not_replayed_again(world: World) -> None:
    keep(world, 3)
    client = world.connect("u1")
    client.say(subscribe(1, "user:u1"))
    settle(world)
    assert news(client) == ["subscribe_ack", -2, -3]
    client.say(subscribe(1, "user:u1"))
    settle(world)
    assert news(client) == ["subscribe_ack"]
    client.say(subscribe(0, "user:u1"))
    settle(world)
    assert news(client) == ["subscribe_ack", -1]


def test_what_it_did_not_hear_when_it_was_told_is_replayed(world: World) -> None:
    client = world.connect("u1")
    world.hear(toast(topic="news"))
    world.hear(toast())
    client.news()
    client.say(subscribe(0, "news", epoch=""))
    settle(world)
    assert news(client) == ["subscribe_ack", -1]


def test_other_topics_lose_nothing_meanwhile(world: World) -> None:
    client = world.connect("u1")
    world.hear(toast())
    client.news()
    client.say(subscribe(0, "news"))
    world.runtime.run()
    elsewhere = world.keep(toast())  # by another process: nobody here is told
    settle(world)
    assert elsewhere.seq == 2
    assert news(client) == ["subscribe_ack", -2]
    world.hear(toast())
    assert news(client) == [3]


def test_a_topic_that_is_added_without_since_can_only_echo(world: World) -> None:
    client = world.connect("u1")
    world.hear(toast(topic="news"))
    client.say(subscribe(None, "news"))
    client.say(subscribe(0, "news", epoch=""))
    settle(world)
    assert news(client) == ["subscribe_ack", -1]


def test_what_a_client_knew_of_a_new_topic_was_not_told_here(world: World) -> None:
    client = world.connect("u1")
    for _ in range(3):
        world.hear(toast(topic="news"))
    client.say(subscribe(2, "news"))
    settle(world)
    assert news(client) == ["subscribe_ack", -3]
    client.say(subscribe(0, "news"))
    settle(world)
    assert news(client) == ["subscribe_ack", -1, -2]


def test_what_could_not_be_read_was_not_told(world: World) -> None:
    client = world.connect("u1")
    world.hear(toast(topic="news"))
    world.inbox.broken = True
    client.say(subscribe(0, "news", epoch=""))
    settle(world)
    client.news()
    world.inbox.broken = False
    client.say(subscribe(0, "news", epoch=""))
    settle(world)
    assert news(client) == ["subscribe_ack", -1]


def test_a_subscribe_does_not_hide_that_other_topics_missed_too_much() -> None:
    world = World(replay_most=2)
    client = world.connect("u1")
    world.hear(toast(topic="news"))
    client.say(subscribe(0, "news"))
    keep(world, 3)
    settle(world)
    (ack,) = client.news()
    assert (ack["recovered"], ack["replayed"], ack["reason"]) == (False, 0, "too_many")


def test_what_was_missed_of_new_topics_comes_in_line_with_the_others(world: World) -> None:
    client = world.connect("u1")
    for _ in range(2):
        world.hear(toast(topic="news"))
    client.say(subscribe(1, "news"))
    keep(world, 1)
    keep(world, 1, topic="news")
    settle(world)
    assert news(client) == ["subscribe_ack", -2, -3, -4]


def test_subscribing_again_to_what_is_heard_forgets_nothing(world: World) -> None:
    client = world.connect("u1")
    world.hear(toast())
    client.say(subscribe(None, "user:u1"))
    client.news()
    client.say(subscribe(0, "user:u1", epoch=""))
    settle(world)
    assert news(client) == ["subscribe_ack"]


def test_a_subscribe_to_nothing_recovers_all_that_is_heard(world: World) -> None:
    keep(world, 2)
    client = world.connect("u1")
    client.say(subscribe(1))
    settle(world)
    assert news(client) == ["subscribe_ack", -2]


@pytest.mark.parametrize(
    ("seq", "epoch", "reason"), [(1, "e0", "epoch_changed"), (0, "e1", "too_many")]
)
def test_a_subscribe_that_cannot_recover_is_subscribed(seq: int, epoch: str, reason: str) -> None:
    world = World(replay_most=2)
    keep(world, 3, topic="news")
    client = world.connect("u1")
    client.say(subscribe(seq, "news", epoch=epoch))
    live = world.hear(toast(topic="news"))
    settle(world)
    ack, frame = client.news()
    assert (ack["recovered"], ack["replayed"], ack["reason"]) == (False, 0, reason)
    assert (ack["seq"], frame["seq"], "replayed" in frame) == (4, 4, False)
    assert live == [(1, 1)]
    world.hear(toast(topic="news"))
    assert news(client) == [5]


def test_a_subscribe_while_storage_is_away_is_subscribed(world: World) -> None:
    keep(world, 2, topic="news")
    client = world.connect("u1")
    world.inbox.broken = True
    client.say(subscribe(0, "news"))
    live = world.hear(toast(topic="news"))
    settle(world)
    ack, frame = client.news()
    assert (ack["recovered"], ack["reason"], ack["replayed"]) == (False, "unavailable", 0)
    assert (frame["seq"], live) == (3, [(1, 1)])


def test_who_comes_from_another_epoch_starts_where_it_left_off(world: World) -> None:
    client = world.connect("u1")
    client.connection.start = client.connection.seq = 5
    client.connection.epoch = "e0"
    keep(world, 3)
    client.say(subscribe(1))
    settle(world)
    assert news(client) == ["subscribe_ack", -2, -3]
    assert world.hear(world.inbox.kept[1]) == [(1, 1)]
    assert news(client) == []


def test_two_subscribes_at_once_are_answered_in_order(world: World) -> None:
    keep(world, 1, topic="a")
    keep(world, 1, topic="b")
    client = world.connect("u1")
    client.say(subscribe(0, "a", id=1))
    client.say(subscribe(0, "b", id=2))
    world.hear(toast(topic="b"))
    settle(world)
    frames = client.news()
    assert [short(frame) for frame in frames] == ["subscribe_ack", -1, "subscribe_ack", -2, -3]
    assert [frame["id"] for frame in frames if "id" in frame] == [1, 2]


def test_what_is_said_meanwhile_is_answered_afterwards(world: World) -> None:
    keep(world, 2, topic="news")
    client = world.connect("u1")
    client.say(subscribe(0, "news"))
    assert client.say({"type": "unsubscribe", "topics": ["news"]}) == []
    assert client.say({"type": "ping"}) == []
    settle(world)
    assert news(client) == ["subscribe_ack", -1, -2, "unsubscribe_ack", "pong"]
    world.hear(toast(topic="news"))
    assert news(client) == []
    assert client.connection.backlog is None


def test_refused_topics_are_told_and_not_replayed(world: World) -> None:
    keep(world, 1, topic="user:u2")  # whoever wrote that into the database
    keep(world, 1, topic="news")
    client = world.connect("u1")
    (error,) = client.say(subscribe(0, "user:u2", "news"))
    settle(world)
    assert (error["code"], error["topic"]) == ("topic_not_allowed", "user:u2")
    assert news(client) == ["subscribe_ack", -2]


def test_every_replayed_toast_is_within_the_namespace(world: World) -> None:
    keep(world, 1, topic="user:u2:secret")
    keep(world, 1)
    ticket_of_old = world.admit("u1", "user:u2:*", "user:u1", since=at(0))
    client = world.open(ticket_of_old)
    assert told(client)[1:] == [-2]


def test_the_host_is_asked_first(world: World) -> None:
    world = World(Hooks(authorize=lambda user_id, action, topic: topic != "staff"))
    keep(world, 1, topic="staff")
    keep(world, 1, topic="news")
    client = world.connect("u1")
    client.say(subscribe(0, "staff", "news"))
    client.say({"type": "ping"})
    settle(world)
    assert news(client) == ["topic_not_allowed", "subscribe_ack", -2, "pong"]


def test_a_gap_while_the_host_is_asked_holds_up_the_subscribe(world: World) -> None:
    world = World(Hooks(authorize=lambda *_: True))
    client = world.connect("u1")
    client.say(subscribe(None, "news", id=1))
    client.say({"type": "ping"})
    keep(world, 1)
    world.hear(toast())
    world.runtime.run()
    world.runtime.run_job()  # the host says yes while it is still not read what was missed
    assert news(client) == []
    settle(world)
    assert news(client) == [-1, 2, "subscribe_ack", "pong"]
    assert client.connection.backlog is None


def test_a_host_that_thinks_longer_than_a_gap_is_waited_for(world: World) -> None:
    world = World(Hooks(authorize=lambda *_: True))
    client = world.connect("u1")
    client.say(subscribe(None, "news", id=1))
    client.say({"type": "ping"})
    keep(world, 1)
    world.hear(toast())
    world.runtime.run()
    world.runtime.jobs.rotate(-1)
    world.runtime.run_job()
    assert news(client) == [-1, 2]
    settle(world)
    assert news(client) == ["subscribe_ack", "pong"]


# A gap


def test_a_gap_is_read_and_told_before_the_toast_that_showed_it(world: World) -> None:
    client = world.connect("u1")
    world.hear(toast())
    keep(world, 2)
    answers = world.hear(toast())
    assert (news(client), answers) == ([1], [])
    settle(world)
    assert news(client) == [-2, -3, 4]
    assert answers == [(1, 1)]
    assert client.connection.catching is None


def test_a_gap_before_the_first_toast_is_noticed_too(world: World) -> None:
    client = world.connect("u1")
    keep(world, 1)
    world.hear(toast())
    settle(world)
    assert news(client) == [-1, 2]


def test_a_gap_of_topics_nobody_hears_tells_nothing(world: World) -> None:
    client = world.connect("u1")
    keep(world, 2, topic="news")
    world.hear(toast())
    settle(world)
    assert news(client) == [3]


def test_topics_that_are_not_heard_make_no_gap(world: World) -> None:
    client = world.connect("u1")
    world.hear(toast(topic="news"))
    world.hear(toast())
    assert news(client) == [2]
    assert world.inbox.asked == []


def test_an_expired_toast_makes_no_gap(world: World) -> None:
    client = world.connect("u1")
    assert world.hear(toast(expires_at=world.clock.now())) == [(0, 0)]
    world.hear(toast())
    assert news(client) == [2]
    assert world.inbox.asked == []


def test_what_comes_while_a_gap_is_read_comes_after_it(world: World) -> None:
    client = world.connect("u1")
    keep(world, 1)
    world.hear(toast())
    world.runtime.run()
    world.hear(toast())
    read(world)
    world.hear(toast())
    world.hear(control())
    world.runtime.run()
    world.hear(toast())
    assert news(client) == [-1, 2, 3, 4, "control", 5]


def test_a_gap_after_the_read_is_read_again(world: World) -> None:
    client = world.connect("u1")
    keep(world, 1)
    world.hear(toast())
    world.runtime.run()
    read(world)
    keep(world, 1)
    world.hear(toast())
    world.runtime.run()
    settle(world)
    assert news(client) == [-1, 2, -3, 4]


@pytest.mark.parametrize("stored", [0, 1])
def test_a_toast_that_is_stored_nowhere_is_dropped_and_not_looked_for_forever(
    world: World, stored: int
) -> None:
    # Of a user who was forgotten in this moment, or of nobody who may publish.
    client = world.connect("u1")
    keep(world, stored)
    answers = world.hear(toast(id="none", seq=1000, epoch="e1"))
    for _ in range(2):
        world.runtime.run()
        world.runtime.run_job()
    world.runtime.run()
    assert not world.runtime.jobs, "it is looked for again"
    assert answers == [(0, 1)]
    world.hear(toast())
    settle(world)
    assert news(client) == [*[-1] * stored, stored + 1]


def test_fifty_tabs_share_one_read(world: World) -> None:
    tabs = [world.connect("u1") for _ in range(50)]
    keep(world, 2)
    answers = world.hear(toast())
    settle(world)
    assert len(world.inbox.asked) == 1
    assert [news(tab) for tab in tabs] == [[-1, -2, 3]] * 50
    assert answers == [(50, 50)]


def test_tabs_that_hear_different_topics_share_nothing(world: World) -> None:
    one, two = world.connect("u1", "user:u1"), world.connect("u1", "news")
    keep(world, 1)
    keep(world, 1, topic="news")
    world.hear(toast())
    settle(world)
    assert (news(one), news(two)) == ([-1, 3], [-2])


def test_a_read_that_has_begun_is_not_shared(world: World) -> None:
    keep(world, 1, topic="news")
    one, two = world.connect("u1"), world.connect("u1")
    one.say(subscribe(0, "news"))
    world.runtime.run()
    read(world)
    world.hear(toast(topic="news"))  # told before the other asks, and not in the first read
    two.say(subscribe(0, "news"))
    settle(world)
    assert news(two) == ["subscribe_ack", -1, -2]


def test_what_is_decided_only_now_is_told_before_what_is_newer(world: World) -> None:
    (undecided,) = keep(world, 1)
    client = world.connect("u1", "user:u1", "news")
    client.say(subscribe(1, "news"))
    world.hear(undecided), world.hear(toast())
    settle(world)
    assert news(client) == ["subscribe_ack", 1, 2]


def test_what_was_told_and_comes_again_while_a_gap_is_read_is_not_told_again(world: World) -> None:
    client = world.connect()
    (first,) = keep(world, 1)
    world.hear(first)
    keep(world, 1)
    world.hear(toast()), world.hear(first)
    settle(world)
    assert news(client) == [1, -2, 3]


@pytest.mark.parametrize("reason", ["too_many", "epoch_changed"])
def test_a_gap_that_cannot_be_filled_is_told(reason: str) -> None:
    world = World(replay_most=1)
    client = world.connect("u1")
    world.hear(toast())
    client.news()
    if reason == "epoch_changed":
        client.connection.seq, client.connection.epoch = 0, "e1"
        world.inbox.kept.clear()
        world.places["u1"] = 0
        world.inbox.kept.append(toast(seq=5, epoch="e2"))
        answers = world.hear(toast(seq=4, epoch="e1"))
    else:
        keep(world, 2)
        answers = world.hear(toast())
    settle(world)
    error, frame = client.news()
    assert (error["code"], error["retryable"]) == ("unrecoverable_position", False)
    assert "fetch the list" in error["message"]
    assert (frame["seq"], answers) == (4, [(1, 1)])


def test_a_gap_is_no_fault_of_the_client() -> None:
    world = World(replay_most=1, message_errors=1)
    client = world.connect("u1")
    for _ in range(4):
        keep(world, 2)
        world.hear(toast())
        settle(world)
    assert not client.connection.ending


def test_a_gap_is_read_again_a_second_later(world: World) -> None:
    client = world.connect("u1")
    keep(world, 1)
    world.inbox.broken = True
    answers = world.hear(toast())
    settle(world)
    assert news(client) == []
    world.inbox.broken = False
    world.pass_time(1)
    settle(world)
    assert (news(client), answers) == ([-1, 2], [(1, 1)])


def test_a_gap_that_cannot_be_read_twice_is_told(world: World) -> None:
    client = world.connect("u1")
    keep(world, 1)
    world.inbox.broken = True
    answers = [world.hear(toast()), world.hear(toast())]
    settle(world)
    world.pass_time(1)
    settle(world)
    assert news(client) == ["unrecoverable_position", 2, 3]
    assert answers == [[(1, 1)], [(1, 1)]]
    world.hear(toast())
    assert news(client) == [4]
    assert len(world.inbox.asked) == 2


def test_each_gap_is_tried_twice(world: World) -> None:
    client = world.connect("u1")
    keep(world, 1)
    world.inbox.broken = True
    world.hear(toast())
    settle(world)
    world.inbox.broken = False
    world.pass_time(1)
    world.runtime.run()
    read(world)
    keep(world, 1)
    world.hear(toast())  # shows another gap while the first is filled
    world.inbox.broken = True
    settle(world)
    assert news(client) == [-1, 2]
    world.inbox.broken = False
    world.pass_time(1)
    settle(world)
    assert news(client) == [-3, 4]


def test_who_leaves_before_the_second_try_is_forgotten(world: World) -> None:
    client = world.connect("u1")
    keep(world, 1)
    world.inbox.broken = True
    world.hear(toast())
    settle(world)
    client.connection.lost()
    world.pass_time(1)
    settle(world)
    assert len(world.inbox.asked) == 1
    assert_empty(world.node)


@pytest.mark.parametrize("seq", [2, 3])
def test_a_toast_decided_late_that_was_told_is_written_but_not_told(world: World, seq: int) -> None:
    keep(world, 1)
    client = world.connect("u1")
    world.hear(toast())
    keep(world, 1)
    world.hear(toast())
    settle(world)
    client.news()
    assert world.hear(world.inbox.kept[seq - 1]) == [(1, 1)]
    assert news(client) == []


def test_a_toast_decided_late_that_was_before_this_connection_is_told(world: World) -> None:
    (elder,) = keep(world, 1)
    client = world.connect("u1")
    world.hear(toast())
    assert world.hear(elder) == [(1, 1)]
    assert news(client) == [2, 1]
    world.hear(toast())
    assert news(client) == [3]


def test_an_echo_waits_behind_what_it_repeats(world: World) -> None:
    client = world.connect("u1")
    world.fill(client)
    first = world.hear(toast())
    echo = world.hear(world.inbox.kept[0])
    assert (first, echo) == ([], [])
    client.transport.make_room(None)
    assert (first, echo) == ([(1, 1)], [(1, 1)])
    assert news(client) == [1]


def test_an_echo_of_what_was_lost_finds_nobody(world: World) -> None:
    client = world.connect("u1")
    world.fill(client)
    world.hear(toast())
    echo = world.hear(world.inbox.kept[0])
    client.connection.lost()
    assert echo == [(0, 0)]


def test_a_held_toast_is_told_though_the_read_passes_it_over(world: World) -> None:
    client = world.connect("u1")
    keep(world, 1)
    answers = world.hear(toast(id="now or never"))
    world.inbox.gone.add("now or never")  # as storage sees it
    settle(world)
    assert (news(client), answers) == ([-1, 2], [(1, 1)])


# Bounds, and what becomes of what waits


def test_held_toasts_are_bounded_like_all_that_waits() -> None:
    world = World(buffer_messages=3)
    client = world.connect("u1")
    keep(world, 1)
    answers = [world.hear(toast()) for _ in range(3)]
    assert (answers, client.connection.ending) == ([[]] * 3, False)
    assert world.hear(toast()) == [(0, 0)]
    assert news(client) == [SLOW]
    assert answers == [[(0, 0)]] * 3
    client.transport.give_back()
    settle(world)
    assert_empty(world.node)


def test_more_is_replayed_than_may_wait_for_a_slow_reader() -> None:
    world = World(buffer_messages=4)
    keep(world, 50)
    connection = world.admit(since=at(0))
    client = world.open(connection, takes=100)
    while client.transport.callback is not None:
        client.transport.make_room(100)
    assert told(client) == ["connection_ack", *(-seq for seq in range(1, 51))]
    assert client.connection.catching is None


def test_live_toasts_wait_until_a_slow_reader_has_caught_up() -> None:
    world = World(buffer_messages=4)
    keep(world, 5)
    client = world.open(world.admit(since=at(0)), takes=400)
    answers = world.hear(toast())
    assert answers == []
    while client.transport.callback is not None:
        client.transport.make_room(50)
    assert told(client)[1:] == [-1, -2, -3, -4, -5, 6]
    assert answers == [(1, 1)]


def test_who_subscribes_before_it_has_caught_up_at_the_door_loses_nothing() -> None:
    world = World(buffer_messages=4)
    keep(world, 5)
    client = world.open(world.admit(since=at(0)), takes=400)
    client.connection.receive(json.dumps(subscribe(5, "news", id=1)).encode())
    world.hear(toast())
    while client.transport.callback is not None or world.runtime.jobs:
        client.transport.make_room(50)
        settle(world)
    assert told(client)[1:] == [-1, -2, -3, -4, -5, 6, "subscribe_ack"]
    assert client.connection.catching is None


def test_who_never_reads_what_it_missed_is_a_slow_consumer(world: World) -> None:
    keep(world, 3)
    client = world.open(world.admit(since=at(0)), takes=400)
    world.pass_time(5)
    assert client.connection.ending
    assert client.connection.catching is None


def test_a_socket_that_goes_while_it_is_told_leaves_nothing(world: World) -> None:
    keep(world, 3)
    connection = world.admit(since=at(0))
    answers = world.hear(toast())
    client = world.open(connection, takes=400)
    client.transport.gone = True
    client.transport.make_room(None)
    assert client.transport.aborted
    assert answers == [(0, 0)]
    assert_empty(world.node)


def test_a_socket_that_goes_between_two_of_them_is_given_back_once(world: World) -> None:
    keep(world, 3)
    client = Client(world.admit(since=at(0)), None)  # type: ignore[arg-type]
    client.transport = FakeTransport(client.connection)
    write, count = client.transport.write, iter(range(10))

    def fail_later(data: bytes | memoryview) -> int:
        client.transport.gone = next(count) == 2
        return write(data)

    client.transport.write = fail_later  # type: ignore[method-assign]
    client.connection.open(client.transport)
    assert (client.transport.aborted, client.transport.finished) == (True, False)
    assert marked(world) == [("t1", "written")]
    assert_empty(world.node)


@pytest.mark.parametrize("stage", range(4))
def test_who_leaves_at_any_moment_is_forgotten(world: World, stage: int) -> None:
    client = world.connect("u1")
    keep(world, 1)
    answers = world.hear(toast())
    steps = [
        world.runtime.run,
        lambda: read(world),
        world.runtime.run,
    ]
    for step in steps[:stage]:
        step()
    client.connection.lost()
    settle(world)
    assert answers == ([(1, 1)] if stage == 3 else [(0, 0)])
    assert client.connection.seq == (2 if stage == 3 else 0)
    assert_empty(world.node)
    assert client.connection.catching is None


def test_what_expires_while_it_waits_is_dropped(world: World) -> None:
    soon = world.clock.now() + 1000
    keep(world, 1)
    keep(world, 1, expires_at=soon)
    connection = world.admit(since=at(0))
    answers = world.hear(toast(expires_at=soon))
    world.hear(toast())
    world.clock.advance(1)
    assert told(world.open(connection))[1:] == [-1, 4]
    assert answers == [(0, 0)]


def test_a_held_toast_nobody_hears_any_more_finds_somebody_there(world: World) -> None:
    client = world.connect("u1")
    keep(world, 1)
    answers = world.hear(toast(topic="news"))
    settle(world)
    assert (news(client), answers) == ([-1], [(0, 1)])


# What is marked


def test_a_replayed_toast_is_delivered(world: World) -> None:
    keep(world, 2)
    world.open(world.admit(since=at(1)))
    (change,) = world.inbox.changes
    assert (change.id, change.user_id, change.state) == ("t2", "u1", "written")
    assert (change.transport, change.session_count, change.reason) == ("websocket", 1, "replayed")
    assert (change.at, change.due_at) == (world.clock.now(), None)


def test_a_replayed_toast_waits_for_its_ack_like_any_other() -> None:
    world = World(ack_timeout_ms=5000)
    keep(world, 1)
    keep(world, 1, fallback=False)
    world.open(world.admit(since=at(0)))
    due = [change.due_at for change in world.inbox.changes]
    assert due == [world.clock.now() + 5000, None]


def test_a_replay_to_the_background_proves_nothing(world: World) -> None:
    keep(world, 1)
    client = world.open(world.admit(since=at(0), background=True))
    assert told(client)[1:] == [-1]
    assert marked(world) == []


def test_a_replayed_frame_is_delivered_when_it_went(world: World) -> None:
    keep(world, 2)
    client = world.open(world.admit(since=at(0)))
    world.inbox.changes.clear()
    client = world.open(world.admit(since=at(0)), takes=250)
    assert marked(world) == []
    client.transport.make_room(100)
    assert len(client.transport.out) == 350
    assert marked(world) == []
    client.transport.make_room(None)
    assert marked(world) == [("t1", "written"), ("t2", "written")]


def test_a_replayed_frame_that_never_went_is_not_delivered(world: World) -> None:
    keep(world, 2)
    client = world.open(world.admit(since=at(0)), takes=250)
    client.connection.lost()
    assert marked(world) == []


def test_a_held_toast_is_its_publishers_to_mark(world: World) -> None:
    client = world.connect("u1")
    keep(world, 1)
    world.hear(toast(id="live"))
    settle(world)
    assert news(client) == [-1, 2]
    assert marked(world) == [("t1", "written")]
