"""Large routes are served in slices, in order, and to those who are still there."""

import pytest

from tests.fakes import Client, World, assert_empty, control, toast
from toastkit.closing import CloseReason


@pytest.fixture
def world() -> World:
    return World(fanout_inline=2, fanout_slice=2)


def counts(clients: list[Client]) -> list[int]:
    return [len(client.said()) for client in clients]


def seqs(client: Client) -> list[int]:
    """Return the positions of what a client was told; it may have been pinged, too."""
    return [each["seq"] for each in client.said() if isinstance(each, dict)]


def kinds(client: Client) -> list[str]:
    return [each["control"]["kind"] for each in client.said()]


def test_small_routes_are_served_at_once(world: World) -> None:
    clients = [world.connect(f"u{number}") for number in range(2)]
    assert world.hear(control()) == [(2, 2)]
    assert counts(clients) == [1, 1]


def test_large_routes_are_served_in_slices(world: World) -> None:
    clients = [world.connect(f"u{number}") for number in range(5)]
    answers = world.hear(control())
    assert sum(counts(clients)) == 0
    seen = []
    for _ in range(3):
        world.runtime.fire()
        seen.append((sum(counts(clients)), answers[:]))
    assert seen == [(2, []), (4, []), (5, [(5, 5)])]


def test_a_route_that_divides_evenly_is_answered_too(world: World) -> None:
    for number in range(4):
        world.connect(f"u{number}")
    answers = world.hear(control())
    for _ in range(3):
        world.runtime.fire()
    assert answers == [(4, 4)]


def test_large_routes_keep_their_order(world: World) -> None:
    clients = [world.connect(f"u{number}") for number in range(3)]
    world.hear(control("one"))
    world.hear(control("two"))
    for _ in range(4):
        world.runtime.fire()
    assert [kinds(client) for client in clients] == [["one", "two"]] * 3


def test_a_route_that_became_small_does_not_overtake(world: World) -> None:
    clients = [world.connect(f"u{number}") for number in range(3)]
    world.hear(control("one"))
    clients[2].connection.lost()
    assert world.hear(control("two")) == []
    for _ in range(4):
        world.runtime.fire()
    assert kinds(clients[0]) == ["one", "two"]


def test_who_leaves_in_between_is_not_told_or_counted(world: World) -> None:
    clients = [world.connect(f"u{number}") for number in range(4)]
    answers = world.hear(control())
    for client in clients:
        client.connection.end(CloseReason.RESTART)
        client.news()
    for _ in range(3):
        world.runtime.fire()
    assert answers == [(0, 0)]
    assert counts(clients) == [0, 0, 0, 0]


def test_who_comes_in_between_hears_what_comes_later(world: World) -> None:
    for number in range(3):
        world.connect(f"u{number}")
    world.hear(control("one"))
    late = world.connect("late")
    world.hear(control("two"))
    for _ in range(4):
        world.runtime.fire()
    assert kinds(late) == ["two"]


def test_A30_a_slice_that_comes_too_late_is_not_told(world: World) -> None:
    clients = [world.connect("u1") for _ in range(3)]
    answers = world.hear(toast(expires_at=world.clock.now() + 1000))
    world.runtime.fire()
    world.clock.advance(1)
    world.runtime.fire()
    world.hear(toast())
    world.runtime.fire()
    world.runtime.fire()
    assert sorted(seqs(client) for client in clients) == [[1, 2], [1, 2], [2]]
    assert answers == [(2, 2)]


def test_an_event_that_cannot_be_written_holds_up_no_other(world: World) -> None:
    clients = [world.connect(f"u{number}") for number in range(3)]
    world.hear(control("one", bad=object()))
    world.hear(control("two"))
    for _ in range(4):
        try:
            world.runtime.fire()
        except TypeError:
            continue
    assert [kinds(client) for client in clients] == [["two"]] * 3


def test_nothing_is_left_behind(world: World) -> None:
    clients = [world.connect(f"u{number}") for number in range(3)]
    world.hear(control())
    for client in clients:
        client.connection.lost()
    world.pass_time(3)
    assert_empty(world.node)
    assert not world.node._lane._errands
