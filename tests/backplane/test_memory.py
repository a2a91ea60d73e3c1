"""The backplane of one process, moved by hand."""

from tests.fakes import World, toast
from toastkit.backplane.contract import Confirmation


def test_a_node_answers_through_it() -> None:
    world = World()
    one, two = world.connect(), world.connect("u1", "news")
    assert world.backplane.broadcast([toast(), toast("u2")]).wait(0.25) == [
        Confirmation(1, 2, complete=True),
        Confirmation(0, 0, complete=True),
    ]
    assert [len(client.said()) for client in (one, two)] == [1, 0]


def test_a_frame_that_waits_leaves_it_incomplete() -> None:
    world = World()
    client = world.connect()
    world.fill(client)
    told = world.backplane.broadcast([toast()]).wait(0.25)
    assert told == [Confirmation()]
    client.transport.make_room(None)
    assert told == [Confirmation()]


def test_where_it_is_not_alone_zero_is_not_known_to_mean_nobody() -> None:
    world = World()
    world.connect()
    world.backplane.share()
    assert world.backplane.broadcast([toast(), toast("u2")]).wait(0.25) == [
        Confirmation(1, 1, complete=False),
        Confirmation(0, 0, complete=False),
    ]
