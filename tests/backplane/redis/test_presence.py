from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.redis import RedisServer
from toastkit.backplane.presence import Departure, Member, Stay
from toastkit.backplane.redis import presence as module
from toastkit.backplane.redis.keys import Keys
from toastkit.backplane.redis.presence import RedisPresence
from toastkit.backplane.redis.requests import Requests
from toastkit.clock import SystemClock
from toastkit.errors import BackplaneUnavailable

pytestmark = pytest.mark.plain

PATIENT_MS = 30_000


@pytest.fixture
def keys(redis_prefix: str) -> Keys:
    return Keys(redis_prefix)


@pytest.fixture
def requests(redis_server: RedisServer) -> Iterator[Requests]:
    requests = Requests(redis_server.url, SystemClock(), PATIENT_MS)
    yield requests
    requests.close()


@pytest.fixture
def presence(requests: Requests, keys: Keys) -> RedisPresence:
    return RedisPresence(requests, keys)


def stay(connection: str, member: str = "ada", **given: Any) -> Stay:
    return Stay(**{"route": "room", "connection": connection, "member": Member(member), **given})


def reaped(presence: RedisPresence) -> tuple[Departure, ...]:
    until = SystemClock().monotonic() + 30
    while SystemClock().monotonic() < until:
        if left := presence.reap():
            return left
    raise AssertionError("nobody was reaped")


def test_each_key_but_the_index_ends_by_itself(
    presence: RedisPresence, redis_server: RedisServer, redis_prefix: str, keys: Keys
) -> None:
    presence.enter(stay("one"))
    presence.enter(stay("two", "bob", lease_ms=1))
    reaped(presence)
    found = {key.decode() for key in redis_server.ask("KEYS", f"{redis_prefix}:*")}
    assert found == {*keys.presence("room"), keys.due}
    for key in found - {keys.due}:
        assert redis_server.ask("PTTL", key) > 60_000, key


def test_who_stays_for_hours_is_kept_as_long(
    presence: RedisPresence, redis_server: RedisServer, keys: Keys
) -> None:
    presence.enter(stay("one"))
    kept = keys.presence("room")[:3]
    for key in kept:
        redis_server.ask("PEXPIRE", key, 10_000)
    presence.renew([stay("one")])
    assert all(redis_server.ask("PTTL", key) > 60_000 for key in kept)


def test_who_has_left_leaves_nothing_behind(
    presence: RedisPresence, redis_server: RedisServer, keys: Keys
) -> None:
    presence.enter(stay("one"))
    assert presence.leave(stay("one"))
    assert redis_server.ask("EXISTS", *keys.presence("room")) == 0


def test_that_somebody_was_reaped_is_forgotten_in_time_however_many_follow(
    presence: RedisPresence, redis_server: RedisServer, keys: Keys
) -> None:
    gone = keys.presence("room")[3]
    redis_server.ask("ZADD", gone, 1, "before ada")
    presence.enter(stay("one", lease_ms=1))
    reaped(presence)
    assert redis_server.ask("ZRANGE", gone, 0, -1) == [b"one ada"]


def test_a_route_that_is_empty_is_looked_at_no_more(
    presence: RedisPresence, redis_server: RedisServer, keys: Keys
) -> None:
    presence.enter(stay("one", lease_ms=1))
    reaped(presence)
    presence.enter(stay("two"))
    presence.leave(stay("two"))
    presence.reap()
    assert redis_server.ask("ZCARD", keys.due) == 0


def test_a_route_is_looked_at_when_its_next_lease_runs_out(
    presence: RedisPresence, redis_server: RedisServer, keys: Keys
) -> None:
    presence.enter(stay("one"))
    presence.enter(stay("two", "bob", lease_ms=90_000))
    presence.reap()
    at, lease = (
        float(redis_server.ask(*command))
        for command in (
            ("ZSCORE", keys.due, "room"),
            ("ZSCORE", keys.presence("room")[0], "one ada"),
        )
    )
    assert at == lease


def test_a_route_that_fell_out_of_the_index_comes_back_with_a_renewal(
    presence: RedisPresence, redis_server: RedisServer, keys: Keys
) -> None:
    presence.enter(stay("one"))
    redis_server.ask("DEL", keys.due)
    presence.renew([stay("one", lease_ms=1)])
    assert reaped(presence) == (Departure("room", Member("ada")),)


def test_who_comes_while_a_route_is_found_empty_is_not_forgotten(
    presence: RedisPresence, monkeypatch: pytest.MonkeyPatch
) -> None:
    presence.enter(stay("one", lease_ms=1))
    look_again = RedisPresence._look_again

    def late(self: RedisPresence, route: str, deadline: bytes) -> None:
        if not deadline:
            monkeypatch.undo()
            presence.enter(stay("two", "bob", lease_ms=1))
        look_again(self, route, deadline)

    monkeypatch.setattr(RedisPresence, "_look_again", late)
    assert reaped(presence) == (Departure("room", Member("ada")),)
    assert reaped(presence) == (Departure("room", Member("bob")),)


def test_who_was_reaped_is_told_of_when_redis_goes_away_before_the_end(
    presence: RedisPresence, monkeypatch: pytest.MonkeyPatch
) -> None:
    presence.enter(stay("one", lease_ms=1))

    def fail(_: RedisPresence, __: str, deadline: bytes) -> None:
        if not deadline:
            raise BackplaneUnavailable("it went away")

    monkeypatch.setattr(RedisPresence, "_look_again", fail)
    assert reaped(presence) == (Departure("room", Member("ada")),)


def test_who_came_again_is_told_of_when_redis_goes_away_before_the_end(
    presence: RedisPresence, monkeypatch: pytest.MonkeyPatch
) -> None:
    presence.enter(stay("one", lease_ms=1))
    reaped(presence)

    def broken(stays: Sequence[Stay]) -> Iterator[Stay]:
        yield stays[0]
        raise BackplaneUnavailable("it went away")

    monkeypatch.setattr(presence, "_unknown", broken)
    assert presence.renew([stay("one")]).came == (stay("one"),)
    with pytest.raises(BackplaneUnavailable):
        presence.renew([stay("one")])


def test_who_was_reaped_long_ago_is_forgotten(
    presence: RedisPresence, redis_server: RedisServer, keys: Keys
) -> None:
    gone = keys.presence("room")[3]
    redis_server.ask("ZADD", gone, "1", "long-ago ada")
    presence.enter(stay("one", lease_ms=1))
    reaped(presence)
    assert redis_server.ask("ZRANGE", gone, "0", "-1") == [b"one ada"]


def test_what_is_renewed_outlives_its_hour(
    presence: RedisPresence, redis_server: RedisServer, keys: Keys
) -> None:
    presence.enter(stay("one"))
    for key in keys.presence("room")[:3]:
        redis_server.ask("PEXPIRE", key, "30000")
    presence.renew([stay("one")])
    assert all(redis_server.ask("PTTL", key) > 60_000 for key in keys.presence("room")[:3])


def test_a_route_that_one_worker_looks_at_no_other_does(presence: RedisPresence) -> None:
    presence.enter(stay("one"))
    assert [presence._due(10), presence._due(10)] == [["room"], []]


def test_many_leases_that_run_out_are_reaped_in_steps(
    presence: RedisPresence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    for number in range(5):
        presence.enter(stay(f"c{number}", f"m{number}", lease_ms=1))
    left = [reaped(presence), reaped(presence), reaped(presence)]
    assert sorted(each.member.id for some in left for each in some) == [f"m{n}" for n in range(5)]
    assert max(map(len, left)) == 2


def test_no_name_of_a_key_tells_whom_it_is_about(
    presence: RedisPresence, redis_server: RedisServer, redis_prefix: str
) -> None:
    presence.enter(stay("one", route="presence-user:ada"))
    assert "ada" not in str(redis_server.ask("KEYS", f"{redis_prefix}:*"))


def test_while_redis_is_away_nobody_knows(own_redis: RedisServer) -> None:
    presence = RedisPresence(Requests(own_redis.url, SystemClock(), PATIENT_MS), Keys("test"))
    own_redis.kill()
    calls = (
        lambda: presence.enter(stay("one")),
        lambda: presence.leave(stay("one")),
        lambda: presence.renew([stay("one")]),
        lambda: presence.members("room"),
        presence.reap,
    )
    for call in calls:
        with pytest.raises(BackplaneUnavailable):
            call()
