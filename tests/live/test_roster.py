"""The roster knows who is where; an event is written once and told to those who hear it."""

from collections.abc import Iterable

import pytest

from tests.fakes import Client, World, control, toast
from toastkit.closing import CloseReason
from toastkit.events import EVERYBODY, Event
from toastkit.live import Connection, Roster, Tally
from toastkit.live.roster import deliver
from toastkit.testing import ManualClock


@pytest.fixture
def world() -> World:
    return World()


def tell(event: Event, clients: Iterable[Client]) -> tuple[int, int]:
    """Deliver an event and return what is known at once: written, present."""
    tally = Tally(lambda *_: None)
    deliver(event, [client.connection for client in clients], tally, ManualClock().now())
    return tally.written, tally.present


def some(world: World, count: int) -> list[Connection]:
    return [world.connect(f"x{number}").connection for number in range(count)]


def test_first_and_last_on_a_route_are_told(world: World) -> None:
    roster, (one, two, three) = Roster(), some(world, 3)
    assert [roster.add(each, "r") for each in (one, two, three)] == [True, False, False]
    assert set(roster.members("r")) == {one, two, three}
    assert [roster.remove(each, "r") for each in (two, three, one)] == [False, False, True]
    assert (roster.connections, roster._routes) == (set(), {})


def test_a_lone_member_is_kept_bare(world: World) -> None:
    roster, (one, two) = Roster(), some(world, 2)
    roster.add(one, "r")
    assert roster._routes["r"] is one
    roster.add(two, "r")
    assert roster._routes["r"] == {one, two}
    roster.remove(one, "r")
    assert roster._routes["r"] is two


def test_adding_twice_is_being_there_once(world: World) -> None:
    roster, (one,) = Roster(), some(world, 1)
    assert roster.add(one, "r")
    assert not roster.add(one, "r")
    assert list(roster.members("r")) == [one]


def test_removing_a_stranger_changes_nothing(world: World) -> None:
    roster, (one, two, stranger) = Roster(), some(world, 3)
    assert not roster.remove(stranger, "r")
    roster.add(one, "r")
    assert not roster.remove(stranger, "r")
    roster.add(two, "r")
    assert not roster.remove(stranger, "r")
    assert set(roster.members("r")) == {one, two}


def test_everybody_is_every_connection(world: World) -> None:
    roster, (one, two) = Roster(), some(world, 2)
    roster.add(one, "r")
    roster.add(two, "s")
    assert set(roster.members(EVERYBODY)) == {one, two}
    assert len(roster.members("nobody")) == 0


def test_A31_only_subscribed_topics_are_heard(world: World) -> None:
    orders, news = world.connect("u1", "user:u1:orders"), world.connect("u1", "news")
    assert tell(toast(topic="user:u1:orders"), [orders, news]) == (1, 2)
    assert (len(orders.said()), len(news.said())) == (1, 0)


def test_A31_the_bare_topic_and_what_is_below_it_are_different(world: World) -> None:
    client = world.connect("u1", "user:u1")
    assert tell(toast(topic="user:u1:orders"), [client]) == (0, 1)


def test_a_wildcard_hears_everything_below_its_namespace(world: World) -> None:
    client = world.connect("u1", "user:u1:*")
    assert tell(toast(topic="user:u1:orders:late"), [client]) == (1, 1)
    assert tell(toast(topic="news"), [client]) == (0, 1)


def test_an_event_without_a_topic_is_heard_by_all_on_its_route(world: World) -> None:
    assert tell(control(), [world.connect("u1", "news")]) == (1, 1)


def test_an_event_is_written_once_per_dialect(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = [world.connect() for _ in range(3)]
    written: list[str] = []
    write = type(world.dialect).event
    monkeypatch.setattr(
        type(world.dialect),
        "event",
        lambda self, event: written.append(event.id) or write(self, event),
    )
    tell(toast(), clients)
    assert written == ["01HXY7Z1"]
    assert len({bytes(client.transport.out) for client in clients}) == 1


def test_a_dialect_without_a_word_for_it_says_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.connect()
    monkeypatch.setattr(type(world.dialect), "event", lambda self, event: None)
    assert tell(toast(), [client]) == (0, 1)
    assert client.said() == []


def test_the_excluded_connection_is_present_but_not_told(world: World) -> None:
    mine, other = world.connect(), world.connect()
    assert tell(toast(exclude=mine.connection.id), [mine, other]) == (1, 2)
    assert (len(mine.said()), len(other.said())) == (0, 1)


def test_the_background_gets_the_frame_and_is_not_counted(world: World) -> None:
    client = world.connect(background=True)
    assert tell(toast(), [client]) == (0, 0)
    assert len(client.said()) == 1


def test_a_background_frame_that_waits_holds_up_no_answer(world: World) -> None:
    client = world.connect(background=True)
    world.fill(client)
    assert world.hear(toast()) == [(0, 0)]
    client.transport.make_room(None)
    assert len(client.said()) == 1


def test_who_has_left_is_neither_told_nor_present(world: World) -> None:
    client = world.connect()
    client.connection.end(CloseReason.RESTART)
    client.news()
    assert tell(toast(), [client]) == (0, 0)
    assert client.said() == []


def test_who_turns_out_to_be_gone_is_not_present(world: World) -> None:
    client = world.connect()
    client.transport.gone = True
    assert tell(toast(), [client]) == (0, 0)


def test_one_that_is_gone_or_slow_holds_up_no_other(world: World) -> None:
    clients = [world.connect() for _ in range(3)]
    clients[0].transport.gone = True
    world.fill(clients[1])
    assert tell(toast(), clients)[0] == 1
    assert len(clients[2].said()) == 1
