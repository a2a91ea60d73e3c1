from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tests.backplane.redis.workers import Worker, until
from tests.fakes import control
from tests.redis import RedisServer
from toastkit.backplane.history import IDLE_META_MS, META_MS, Keep
from toastkit.backplane.redis.envelope import pack
from toastkit.backplane.redis.history import RedisHistory
from toastkit.backplane.redis.keys import Keys
from toastkit.backplane.redis.requests import Requests
from toastkit.clock import SystemClock
from toastkit.errors import BackplaneUnavailable
from toastkit.events import Event
from toastkit.records import Position

pytestmark = pytest.mark.plain

PATIENT_MS = 30_000

KEEP = Keep(size=10, ms=60_000)


def event(id: str) -> Event:
    return replace(control(), id=id, route="room")


def test_a_server_back_from_an_old_snapshot_begins_anew(own_redis: RedisServer) -> None:
    # It comes back with the epoch and fewer events. The next ones would take positions that
    # clients know already, who would take them for echoes.
    requests = Requests(own_redis.url, SystemClock(), PATIENT_MS)
    history = RedisHistory(requests, Keys("test"))
    history.append(event("a"), KEEP)
    own_redis.ask("SAVE")
    told = history.append(event("b"), KEEP)
    own_redis.restart()
    assert own_redis.ask("KEYS", "test:*"), "nothing came back: this shows nothing"
    for seq in (1, 2):
        assert history.since("room", Position(seq, told.epoch), 10).reason == "epoch_changed"
    assert history.append(event("c"), KEEP) == Position(1, history.newest("room", 0).position.epoch)
    assert [each.id for each in history.newest("room", 10).events] == ["c"]
    own_redis.ask("SAVE")
    own_redis.restart()
    assert history.append(event("d"), KEEP).seq == 1, "and where nobody has looked before, too"
    requests.close()


def test_every_worker_hears_what_is_kept_in_its_order(
    hire: Callable[..., Worker], redis_server: RedisServer, redis_prefix: str
) -> None:
    workers = [hire(["room"]), hire(["room"])]
    requests = Requests(redis_server.url, SystemClock(), PATIENT_MS)
    for id in "abc":
        RedisHistory(requests, Keys(redis_prefix)).append(event(id), KEEP)
    for worker in workers:
        until(lambda ear=worker.ear: ear.heard == ["a", "b", "c"])
        assert not worker.backplane.counts.dropped
    requests.close()


@pytest.mark.parametrize(
    "fields", [("u", "9" * 13, "e", "{}"), ("u", "soon", "e", "{}"), ("something", "else")]
)
def test_what_cannot_be_read_is_a_gap_and_no_end(
    redis_server: RedisServer, redis_prefix: str, fields: tuple[str, ...]
) -> None:
    requests, keys = Requests(redis_server.url, SystemClock(), PATIENT_MS), Keys(redis_prefix)
    history = RedisHistory(requests, keys)
    first = history.append(event("a"), KEEP)
    stream, meta = keys.history("room")
    redis_server.ask("XADD", stream, "2-0", *fields)
    redis_server.ask("HSET", meta, "seq", 2)
    history.append(event("c"), KEEP)
    assert history.since("room", first, 10).reason == "too_many"
    second = Position(2, first.epoch)
    assert [each.id for each in history.since("room", second, 10).events] == ["c"]
    assert [each.id for each in history.newest("room", 10).events] == ["a", "c"]
    requests.close()


def test_each_key_ends_by_itself(redis_server: RedisServer, redis_prefix: str) -> None:
    requests, keys = Requests(redis_server.url, SystemClock(), PATIENT_MS), Keys(redis_prefix)
    history = RedisHistory(requests, keys)
    history.append(event("a"), KEEP)
    history.newest("hall", 1)
    stream, meta = (redis_server.ask("PTTL", key) for key in keys.history("room"))
    assert 0 < stream <= KEEP.ms
    assert KEEP.ms < meta <= META_MS
    history.newest("room", 1)
    assert redis_server.ask("PTTL", keys.history("room")[1]) > IDLE_META_MS
    history.append(event("b"), Keep(size=10, ms=1000))
    assert redis_server.ask("PTTL", keys.history("room")[0]) > 1000, "what is kept longer goes"
    for key in redis_server.ask("KEYS", f"{redis_prefix}:*"):
        assert redis_server.ask("PTTL", key) > 0, key
    requests.close()


def test_while_redis_is_away_nothing_is_kept_and_that_is_told(own_redis: RedisServer) -> None:
    history = RedisHistory(Requests(own_redis.url, SystemClock(), PATIENT_MS), Keys("test"))
    own_redis.kill()
    with pytest.raises(BackplaneUnavailable):
        history.append(event("a"), KEEP)
    with pytest.raises(BackplaneUnavailable):
        history.newest("room", 1)


def test_a_redis_that_is_full_takes_no_event_and_no_number(own_redis: RedisServer) -> None:
    requests = Requests(own_redis.url, SystemClock(), PATIENT_MS)
    history = RedisHistory(requests, Keys("test"))
    history.append(event("a"), KEEP)
    own_redis.ask("CONFIG", "SET", "maxmemory", "1")
    with pytest.raises(BackplaneUnavailable, match="maxmemory"):
        history.append(event("b"), KEEP)
    past = history.newest("room", 10)
    assert ([each.id for each in past.events], past.position.seq) == (["a"], 1)
    requests.close()


def test_an_envelope_leaves_room_for_its_position() -> None:
    # A script puts it behind the first brace.
    text = pack(event("a"))
    assert text.startswith(b'{"')
    assert b'"seq"' not in text
    assert b'"epoch"' not in text
