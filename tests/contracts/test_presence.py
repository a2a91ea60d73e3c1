"""What every presence promises, on each that there is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.redis import RedisServer
from toastkit.backplane.memorypresence import MemoryPresence
from toastkit.backplane.presence import (
    MAX_CONNECTIONS,
    MAX_MEMBERS,
    Departure,
    Member,
    Presence,
    Renewal,
    Stay,
)
from toastkit.clock import SystemClock
from toastkit.errors import Invalid

pytestmark = pytest.mark.plain

NOTHING = Renewal()


@dataclass
class Stage:
    """Two workers' views of one presence, and a way to lose it all."""

    ours: Presence
    theirs: Presence
    lose: Callable[[], None]

    def there(self, route: str = "room") -> list[str]:
        return [member.id for member in self.theirs.members(route)]

    def reaped(self, count: int) -> list[Departure]:
        """Reap on both workers until so many have left."""
        left: list[Departure] = []
        deadline = SystemClock().monotonic() + 30
        while len(left) < count:
            assert SystemClock().monotonic() < deadline, f"only {left} were reaped"
            left += [*self.ours.reap(), *self.theirs.reap()]
        return left


def stay(connection: str, member: str = "ada", info: Any = None, **given: Any) -> Stay:
    """Make a stay that outlives the test; ``lease_ms=1`` is over at once."""
    named = {"route": "room", **given}
    return Stay(connection=connection, member=Member(member, info), **named)


def brief(connection: str, member: str = "ada", **given: Any) -> Stay:
    return stay(connection, member, lease_ms=1, **given)


@pytest.fixture
def in_memory() -> Stage:
    presence = MemoryPresence(SystemClock())
    return Stage(presence, presence, presence._rooms.clear)


@pytest.fixture
def in_redis(redis_server: RedisServer, redis_prefix: str) -> Iterator[Stage]:
    from toastkit.backplane.redis.keys import Keys
    from toastkit.backplane.redis.presence import RedisPresence
    from toastkit.backplane.redis.requests import Requests

    keys = Keys(redis_prefix)
    requests = [Requests(redis_server.url, SystemClock(), 30_000) for _ in range(2)]
    ours, theirs = (RedisPresence(each, keys) for each in requests)

    def lose() -> None:
        found = requests[0].ask(("KEYS", f"{redis_prefix}:*"))[0]
        requests[0].ask(("DEL", *found))

    yield Stage(ours, theirs, lose)
    for each in requests:
        each.close()


@pytest.fixture(params=["memory", "redis"])
def stage(request: pytest.FixtureRequest) -> Stage:
    stage: Stage = request.getfixturevalue(f"in_{request.param}")
    return stage


def test_a_member_comes_once_however_many_connections(stage: Stage) -> None:
    assert stage.ours.enter(stay("one")) == "first"
    assert stage.theirs.enter(stay("two")) == "again"
    assert stage.theirs.enter(stay("three", "bob")) == "first"
    assert stage.there() == ["ada", "bob"]


def test_a_member_leaves_with_its_last_connection(stage: Stage) -> None:
    stage.ours.enter(stay("one"))
    stage.theirs.enter(stay("two"))
    assert stage.ours.leave(stay("one")) is False
    assert stage.there() == ["ada"]
    assert stage.theirs.leave(stay("two")) is True
    assert stage.there() == []


def test_entering_twice_is_as_good_as_once(stage: Stage) -> None:
    # Whoever got no answer the first time does it again, and must be told the same.
    assert [stage.ours.enter(stay("one")) for _ in range(2)] == ["first", "first"]
    assert [stage.ours.enter(stay("two")) for _ in range(2)] == ["again", "again"]
    assert [stage.ours.leave(stay(each)) for each in ("one", "two")] == [False, True]


def test_a_leave_whose_answer_was_lost_is_told_when_it_is_made_again(stage: Stage) -> None:
    stage.ours.enter(stay("one"))
    stage.ours.leave(stay("one"))  # and nobody heard that it was the last
    assert stage.ours.leave(brief("one")) is False
    assert stage.reaped(1) == [Departure("room", Member("ada"))]
    assert stage.there() == []


def test_routes_are_kept_apart(stage: Stage) -> None:
    stage.ours.enter(stay("one"))
    assert stage.ours.enter(stay("one", route="hall")) == "first"
    assert stage.ours.leave(stay("one")) is True
    assert stage.there("hall") == ["ada"]


def test_what_others_may_know_is_what_was_said_last(stage: Stage) -> None:
    stage.ours.enter(stay("one", info={"name": "Ada"}))
    stage.theirs.enter(stay("two", info={"name": "Ada L.", "n": [1, None]}))
    stage.ours.enter(stay("three", "bob"))
    told = (Member("ada", {"name": "Ada L.", "n": [1, None]}), Member("bob", None))
    assert stage.theirs.members("room") == told


def test_who_is_not_renewed_has_left_once(stage: Stage) -> None:
    stage.ours.enter(brief("one", info={"name": "Ada"}))
    stage.ours.enter(stay("two", "bob"))
    assert stage.there() == ["ada", "bob"], "nobody was told yet that she has left"
    assert stage.reaped(1) == [Departure("room", Member("ada", {"name": "Ada"}))]
    assert stage.there() == ["bob"]
    assert (stage.ours.reap(), stage.theirs.reap()) == ((), ())


def test_who_has_another_connection_has_not_left(stage: Stage) -> None:
    stage.ours.enter(brief("one"))
    stage.theirs.enter(stay("two"))
    stage.ours.enter(brief("three", "bob"))
    assert [left.member.id for left in stage.reaped(1)] == ["bob"]
    assert stage.there() == ["ada"]
    assert stage.theirs.leave(stay("two")) is True


def test_all_connections_of_a_crash_are_one_leave_for_each_member(stage: Stage) -> None:
    for route in ("room", "hall"):
        for number in range(3):
            stage.ours.enter(brief(f"a{number}", route=route))
            stage.ours.enter(brief(f"b{number}", "bob", route=route))
    told = sorted((left.route, left.member.id) for left in stage.reaped(4))
    assert told == [("hall", "ada"), ("hall", "bob"), ("room", "ada"), ("room", "bob")]


def test_of_all_workers_that_reap_one_is_told(stage: Stage) -> None:
    for number in range(20):
        stage.ours.enter(brief(f"c{number}", f"m{number}", route=f"r{number % 5}"))
    told: list[Departure] = []
    left = threading.Event()

    def reap(presence: Presence) -> None:
        deadline = SystemClock().monotonic() + 30
        while not left.is_set() and SystemClock().monotonic() < deadline:
            told.extend(presence.reap())
            if len(told) >= 20:
                left.set()

    threads = [threading.Thread(target=reap, args=(each,)) for each in (stage.ours, stage.theirs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.member.id for each in told) == sorted(f"m{n}" for n in range(20))


def test_who_is_renewed_stays(stage: Stage) -> None:
    stage.ours.enter(brief("one"))
    assert stage.ours.renew([stay("one")]) == NOTHING
    stage.ours.enter(brief("two", "bob"))
    assert [left.member.id for left in stage.reaped(1)] == ["bob"]
    assert stage.there() == ["ada"]


def test_who_was_reaped_and_is_renewed_comes_again(stage: Stage) -> None:
    stage.ours.enter(brief("one"))
    stage.ours.enter(brief("two"))
    stage.reaped(1)
    both = [stay("one"), stay("two")]
    assert stage.ours.renew(both) == Renewal(came=(both[0],)), "one join, for two connections"
    assert stage.ours.renew(both) == NOTHING
    assert stage.there() == ["ada"]


def test_who_was_reaped_and_leaves_is_told_no_second_time(stage: Stage) -> None:
    stage.ours.enter(brief("one"))
    stage.reaped(1)
    assert stage.ours.leave(stay("one")) is False
    assert stage.there() == []
    stage.ours.enter(brief("two", "bob"))
    assert [left.member.id for left in stage.reaped(1)] == ["bob"]


def test_what_was_lost_is_entered_anew_and_nobody_is_told(stage: Stage) -> None:
    everybody = [stay("one"), stay("two"), stay("three", "bob"), stay("four", route="hall")]
    for each in everybody:
        stage.ours.enter(each)
    stage.lose()
    assert stage.there() == []
    assert stage.ours.renew(everybody) == Renewal(lost=frozenset({"room", "hall"}))
    assert stage.there() == ["ada", "bob"]
    assert stage.ours.renew(everybody) == NOTHING
    assert stage.ours.leave(stay("one")) is False
    assert stage.ours.leave(stay("two")) is True


def test_who_leaves_after_a_loss_is_told_of_when_nobody_else_turns_up(stage: Stage) -> None:
    for each in (stay("one"), stay("two", "bob"), stay("three", "bob")):
        stage.ours.enter(each)
    stage.lose()
    # Whether she, or he, has other connections is not known before their workers renew them.
    assert stage.ours.leave(brief("one")) is False
    assert stage.ours.leave(brief("two", "bob")) is False
    stage.theirs.renew([stay("three", "bob")])
    assert [left.member.id for left in stage.reaped(1)] == ["ada"]
    assert stage.there() == ["bob"]


def test_who_leaves_and_is_not_known_is_told_of_though_others_are_there(stage: Stage) -> None:
    stage.ours.enter(stay("other", "bob"))
    assert stage.ours.leave(brief("lost")) is False
    assert stage.reaped(1) == [Departure("room", Member("ada"))]


def test_many_come_at_once_and_each_is_first_once(stage: Stage) -> None:
    arrivals: list[tuple[str, str]] = []

    def enter(presence: Presence, name: str) -> None:
        for number in range(20):
            member = f"m{number}"
            arrivals.append((member, presence.enter(stay(f"{name}{number}", member))))

    views = zip((stage.ours, stage.theirs, stage.ours), "abc", strict=True)
    threads = [threading.Thread(target=enter, args=each) for each in views]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    firsts = [member for member, arrival in arrivals if arrival == "first"]
    assert sorted(firsts) == sorted(f"m{number}" for number in range(20))


def test_more_members_than_a_route_may_have_are_refused(stage: Stage) -> None:
    for number in range(MAX_MEMBERS):
        stage.ours.enter(stay(f"c{number}", f"m{number}"))
    assert stage.theirs.enter(stay("one")) == "full"
    assert stage.theirs.enter(stay("two", "m7")) == "again"
    assert len(stage.there()) == MAX_MEMBERS
    # In more than one batch.
    everybody = [stay(f"c{number}", f"m{number}") for number in range(MAX_MEMBERS)]
    assert stage.ours.renew(everybody) == NOTHING


def test_more_connections_than_a_member_may_have_are_refused(stage: Stage) -> None:
    for number in range(MAX_CONNECTIONS):
        stage.ours.enter(stay(f"c{number}"))
    assert stage.theirs.enter(stay("one")) == "full"
    assert stage.theirs.enter(stay("c1")) == "again"
    assert stage.theirs.enter(stay("one", "bob")) == "first"


@pytest.mark.parametrize("id", ["", "a b", "a\nb", "a\0", "a" * 201])
def test_an_id_that_is_none_is_refused(id: str) -> None:
    with pytest.raises(Invalid):
        Member(id)
    with pytest.raises(Invalid):
        stay(id)


@pytest.mark.parametrize("info", [{"a": "b" * 1024}, {"a": object()}, {"a": float("inf")}.keys()])
def test_info_that_is_too_large_or_no_JSON_is_refused(info: Any) -> None:
    with pytest.raises(Invalid):
        Member("ada", info)
