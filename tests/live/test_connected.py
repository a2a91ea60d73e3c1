"""Whoever asks why a toast was not seen learns who is connected to this process."""

from __future__ import annotations

from tests.fakes import World
from toastkit.closing import CloseReason
from toastkit.live.connected import connections_of
from toastkit.publishing.hints import Here


def test_where_nobody_is_served_nothing_is_known() -> None:
    assert connections_of(World().node, "u1") is None


def test_nobody_is_known_to_be_nobody() -> None:
    world = World()
    world.node.serve()
    assert connections_of(world.node, "u1") == []


def test_a_users_connections_say_what_they_hear_and_who_is_in_front() -> None:
    world = World()
    world.connect("u1", "user:u1", "news")
    world.connect("u1", background=True)
    world.connect("u2")
    found = connections_of(world.node, "u1") or []
    assert sorted(found, key=lambda here: not here.foreground) == [
        Here(True, ("user:u1", "news")),
        Here(False, ("user:u1",)),
    ]


def test_who_is_leaving_is_not_there() -> None:
    world = World()
    client = world.connect("u1")
    client.connection.end(CloseReason.RESTART)
    assert connections_of(world.node, "u1") == []
