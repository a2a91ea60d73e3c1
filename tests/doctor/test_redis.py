"""What is wrong with Redis is told with its remedy; a password never is."""

from __future__ import annotations

import socket
import sys

import pytest
from msgspec.structs import replace
from redis import Redis

from toastkit.backplane.redis.keys import Keys
from toastkit.doctor.patient import RedisFacts
from toastkit.doctor.redis import check, gather, place_of

pytestmark = pytest.mark.plain

HUSH = "hush-hush-hush"
GOOD = RedisFacts(
    "redis://redis.internal:6379/0",
    kind="Redis",
    version="7.4.1",
    speaks="7.4.1",
    name="toastkit:0",
    workers=4,
    ping_ms=0.3,
    policy="noeviction",
    used=50 << 20,
    most=100 << 20,
    clients=20,
    most_clients=1000,
    buffer=32 << 20,
)


@pytest.fixture
def found(facts, levels):
    """Look at a Redis, and return what is known and what is wrong with it."""

    def found(url, **settings):
        known = gather(facts(redis_url=url, **settings).patient)
        given = facts(redis=known)
        assert HUSH not in repr((known, list(check(given))))
        return known, levels(check, given)

    return found


def test_where_none_is_named_nothing_is_said(facts, levels):
    assert gather(facts().patient) is None
    assert levels(check, facts()) == []


@pytest.mark.parametrize(
    ("trouble", "remedy"),
    [
        ("Error 1 connecting to r:6379. certificate verify failed", "ssl_ca_certs="),
        ("max number of clients reached", "raise maxclients"),
        ("Error 111 connecting to r:6379. Connection refused", "start it"),
        ("it wants a password", "PASSWORD@host"),
    ],
)
def test_each_trouble_has_its_own_remedy(facts, trouble, remedy):
    [told] = check(facts(redis=replace(GOOD, trouble=trouble)))
    assert remedy in told.remedy


@pytest.mark.parametrize(("many", "said"), [(1, "1 process hears"), (4, "4 processes hear")])
def test_who_hears_it_is_said(facts, many, said):
    told = [each.text for each in check(facts(redis=replace(GOOD, workers=many)))]
    assert f"{said} toastkit:0 now" in told


def test_one_that_takes_no_more_is_a_failure_and_not_a_warning(facts, levels):
    full = replace(GOOD, used=GOOD.most)
    assert levels(check, facts(redis=full)) == [("fail", "redis")]
    assert levels(check, facts(redis=replace(full, used=full.used - 1))) == [("warn", "redis")]


def test_a_good_one_has_nothing_wrong(redis_server, found, redis_prefix):
    known, wrong = found(redis_server.url, redis_prefix=redis_prefix)
    assert wrong == []
    assert known.place == redis_server.url
    assert (known.kind, known.name) in {
        ("Valkey", f"{redis_prefix}:0"),
        ("Redis", f"{redis_prefix}:0"),
    }
    assert known.version
    assert (known.policy, known.workers, known.buffer) == ("noeviction", 0, 32 << 20)
    assert known.ping_ms >= 0


def test_who_hears_it_is_counted_in_the_database_that_is_named(own_redis, found):
    with Redis(port=own_redis.port, protocol=2) as client, client.pubsub() as worker:
        worker.subscribe(Keys("toastkit", 1).workers)
        worker.get_message(timeout=30)
        assert found(own_redis.url.removesuffix("0") + "1")[0].workers == 1
        assert found(own_redis.url)[0].workers == 0


def test_nothing_of_it_is_changed(redis_server, found):
    before = redis_server.ask("DBSIZE")
    found(redis_server.url)
    assert redis_server.ask("DBSIZE") == before


def test_a_password_that_is_missing_or_wrong_is_told(own_redis, found):
    url = own_redis.url.removeprefix("redis://")
    own_redis.ask("CONFIG", "SET", "requirepass", HUSH)
    assert found(f"redis://{url}")[0].trouble == "it wants a password"
    known, wrong = found(f"redis://:{HUSH}no@{url}")
    assert (known.trouble, wrong) == ("it refuses the password", [("fail", "redis")])
    assert found(f"redis://:{HUSH}@{url}")[0].trouble == ""


def test_a_user_that_may_not_publish_is_told(own_redis, found):
    url = own_redis.url.removeprefix("redis://")
    rights = ("on", f">{HUSH}", "~*", "+ping", "+select", "+client")
    own_redis.ask("ACL", "SETUSER", "shop", *rights)
    known, wrong = found(f"redis://shop:{HUSH}@{url}")
    assert (known.trouble, wrong) == (
        "its user may not do what toastkit must",
        [("fail", "redis")],
    )
    own_redis.ask("ACL", "SETUSER", "shop", "+@pubsub", "&*")
    known, wrong = found(f"redis://shop:{HUSH}@{url}")
    assert (known.trouble, known.version, wrong) == ("", "", [])


def test_a_replica_is_told(own_redis, found):
    own_redis.ask("REPLICAOF", "127.0.0.1", "1")
    assert found(own_redis.url)[1] == [("fail", "redis")]


def test_a_missing_package_is_told(found, monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    known, wrong = found(f"redis://:{HUSH}@localhost")
    assert (known.trouble, wrong) == (
        "the package for it is not installed",
        [("fail", "redis")],
    )


def test_nobody_there_is_told(found):
    # Bound, so that nobody else takes the port, and never listening.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        known, wrong = found(f"redis://:{HUSH}@127.0.0.1:{taken.getsockname()[1]}/0")
    assert "refused" in known.trouble
    assert wrong == [("fail", "redis")]


def test_whoever_never_answers_is_told_in_time(found, monkeypatch):
    monkeypatch.setattr("toastkit.doctor.redis.ANSWER_SECONDS", 0.1)
    monkeypatch.setattr("toastkit.doctor.redis.CONNECT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"127.0.0.1:{silent.getsockname()[1]}/0"
        assert found(f"redis://{place}")[0].trouble == "no answer in time"
        known, wrong = found(f"rediss://{place}")
    assert known.trouble == "no answer in time to a TLS handshake"
    assert wrong == [("fail", "redis")]


@pytest.mark.parametrize(
    "url", [f"http://:{HUSH}@h", f"redis://:{HUSH}@h:port", HUSH, f"redis://u:{HUSH}@[h"]
)
def test_what_is_no_url_is_told(url, found):
    known, wrong = found(url)
    assert (known.trouble, wrong) == ("the URL is none", [("fail", "redis")])


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({}, []),
        ({"trouble": "the package for it is not installed"}, ["fail"]),
        ({"version": "", "speaks": "", "kind": ""}, []),
        ({"kind": "Valkey", "version": "9.1.2", "speaks": "7.2.4"}, []),
        ({"version": "6.0.16", "speaks": "6.0.16"}, ["warn"]),
        ({"replica": True}, ["fail"]),
        ({"cluster": True}, ["warn"]),
        ({"open_to_all": True}, ["warn"]),
        ({"ping_ms": 80.0}, ["warn"]),
        ({"buffer": 4096}, ["warn"]),
        ({"buffer": 0}, []),
        ({"policy": "allkeys-lru"}, ["warn"]),
        ({"policy": "allkeys-lru", "most": 0}, []),
        ({"used": 99 << 20}, ["warn"]),
        ({"clients": 950}, ["warn"]),
    ],
)
def test_what_suits_and_what_does_not(given, wrong, facts, levels):
    assert levels(check, facts(redis=replace(GOOD, **given))) == [(each, "redis") for each in wrong]


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://redis.internal", "redis://redis.internal"),
        (f"rediss://shop:{HUSH}@10.0.0.7:6380/2?x={HUSH}", "rediss://10.0.0.7:6380/2"),
        (f"unix://:{HUSH}@/run/redis.sock?db=1", "unix:///run/redis.sock"),
        (f"redis://:{HUSH}@[::1]:1/0", "redis://::1:1/0"),
        (f"redis://:{HUSH}@h:port", "set"),
        (HUSH, "set"),
    ],
)
def test_a_place_is_shown_without_its_password(url, place):
    assert place_of(url) == place


@pytest.mark.parametrize(
    ("url", "open_to_all"),
    [
        ("redis://localhost", False),
        ("redis://127.0.0.1", False),
        ("unix:///run/redis.sock", False),
        (f"redis://:{HUSH}@10.0.0.7", False),
        ("redis://10.0.0.7", True),
        ("redis://redis.internal", True),
    ],
)
def test_one_that_anybody_may_reach_is_known(url, open_to_all):
    from redis import Redis

    from toastkit.doctor.redis import _is_open

    with Redis.from_url(url) as client:
        assert _is_open(client.get_connection_kwargs()) is open_to_all
