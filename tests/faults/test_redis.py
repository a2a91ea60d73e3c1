"""Redis that is not there, dies, freezes, is cut off or full: nothing lost, nobody waits for it."""

import os
import random
import time
from contextlib import ExitStack, contextmanager
from functools import partial

import pytest

from tests.faults.conftest import (
    BACK_SECONDS,
    PUBLISH_SECONDS,
    STALL_SECONDS,
    Stream,
    frozen_at_rest,
    latest,
    settle,
    whole_again,
)
from tests.proxy import Proxy

pytestmark = pytest.mark.plain
EVERYBODY = 4
"""Clients of ada: two at each worker."""
SILENT_SECONDS = 5
"""After this a Redis that says nothing is taken for dead."""


@pytest.fixture
def proxy(own_redis):
    with Proxy(("127.0.0.1", own_redis.port)) as proxy:
        yield proxy


@pytest.fixture
def scene(make_cluster, flock, proxy):
    """Return a maker of a service of two workers, and of clients at both."""

    def make(**settings):
        limits = {"rate_limits": 1, "publish_rate": "1000000/minute"}
        given = {"redis": f"redis://{proxy.host}/0", **limits, **settings}
        cluster = make_cluster(workers=2, **given)
        birds = flock(cluster)
        for place in cluster.places:
            birds.come(cluster, ["ada", "bob", "ada"], address=place.address)
        assert birds.run(birds.all_here)
        cluster.worst_stall()
        return cluster, birds

    return make


@contextmanager
def publishers(cluster):
    """Publish to ada at both workers; to bob at one: the other has no later toast to miss it by."""
    with Stream(cluster.places, "ada") as ada, Stream(cluster.places[:1], "bob") as bob:
        yield ada, bob


def check(cluster, birds, *streams):
    """Find nothing lost, twice, crossed or out of order, and that nobody had to wait."""
    for stream in streams:
        assert stream.statuses() == {202}
        assert stream.slowest() < PUBLISH_SECONDS
    settle(birds, *streams)
    assert not any(bird.codes for bird in birds.birds), "a socket ended"
    assert cluster.worst_stall() < STALL_SECONDS
    assert "Traceback" not in cluster.log, cluster.log


@pytest.mark.parametrize("silent", [False, True])
def test_a_service_starts_without_redis_and_finds_it_later(scene, own_redis, proxy, silent):
    if silent:
        proxy.hold()
    else:
        own_redis.kill()
    cluster, birds = scene()
    assert cluster.request("GET", "/health")[0] == 200
    with publishers(cluster) as (ada, bob):
        ada.many(20)
        assert {each.count for each in ada.tries} <= {0, 1, 2}, "somebody reached all without Redis"
        if silent:
            assert proxy.came, "nobody tried to reach it"
            proxy.heal()
        else:
            own_redis.start()
        assert whole_again(birds, ada, EVERYBODY, time.monotonic()) < BACK_SECONDS
    check(cluster, birds, ada, bob)
    assert latest(birds, ada, bob) < BACK_SECONDS


@contextmanager
def killed(redis, proxy):
    born = redis.ask("INFO", "server")
    redis.kill()
    yield
    redis.start()
    assert redis.ask("INFO", "server") != born


@contextmanager
def frozen(redis, proxy):
    redis.pause()
    yield
    redis.resume()


@contextmanager
def parted(redis, proxy):
    """Let no byte through, nor a FIN."""
    proxy.hold()
    yield
    assert proxy.held
    proxy.heal()


@contextmanager
def cut(redis, proxy):
    for count in (1, 500, 3000):
        cuts = proxy.cuts
        proxy.cut_after(count)
        while proxy.cuts == cuts:
            time.sleep(0.01)
    assert proxy.reset()
    proxy.refuse()
    yield
    proxy.heal()


def have(birds, ids):
    return all(ids <= bird.shown.keys() for bird in birds)


@pytest.mark.parametrize("away", [killed, frozen, parted, cut])
def test_while_redis_is_away_nothing_is_lost_and_nobody_waits_for_it(scene, own_redis, proxy, away):
    cluster, birds = scene()
    limit = BACK_SECONDS + (SILENT_SECONDS if away in {parted, frozen} else 0)
    with publishers(cluster) as (ada, bob):
        whole_again(birds, ada, EVERYBODY, 0)
        with ExitStack() as harm:
            harm.enter_context(away(own_redis, proxy))
            since = time.monotonic()
            bob.many(2)
            [first, *_] = [each for each in bob.tries if each.at > since]
            bobs = [bird for bird in birds.birds if bird.user == "bob"]
            told = birds.run(partial(have, bobs, set(first.ids)), limit)
            assert told, "without Redis the other worker's clients are told nothing"
            ada.many(5)
            last = [each.count for each in ada.tries if each.at > since]
            assert max(last) < EVERYBODY, "Redis was not away"
            back = time.monotonic()
        assert whole_again(birds, ada, EVERYBODY, back) < BACK_SECONDS
    check(cluster, birds, ada, bob)
    assert latest(birds, ada, bob) < limit


def test_a_subscriber_that_is_killed_again_and_again_misses_nothing(scene, own_redis):
    cluster, birds = scene(due_ms=30_000)  # the sweeper is not what finds it
    bobs = [bird for bird in birds.birds if bird.user == "bob"]
    ended, counts = 0, set()
    with Stream(cluster.places, "ada") as ada:
        whole_again(birds, ada, EVERYBODY, 0)
        for number in range(20):
            ended += int(own_redis.ask("CLIENT", "KILL", "TYPE", "pubsub"))
            told = cluster.places[0].publish("bob", f"bob {number}").answer
            counts.add(told["session_count"])
            wanted = {told["id"]}
            shown = birds.run(partial(have, bobs, wanted), BACK_SECONDS)
            assert shown, "nobody looked for what was not heard"
        assert whole_again(birds, ada, EVERYBODY, time.monotonic()) < BACK_SECONDS
    assert ended >= 20, "nobody was killed"
    assert 1 in counts, "everything was heard all the same"
    check(cluster, birds, ada)
    assert latest(birds, ada) < BACK_SECONDS


def test_a_process_without_clients_knows_who_was_told_and_says_so_when_it_cannot(scene, own_redis):
    cluster, birds = scene()
    with cluster.script() as script:
        told = script.publish(user_id="ada", toast="ada 1")
        assert (told["status"], told["session_count"]) == ("delivered", EVERYBODY)
        own_redis.kill()
        began = time.monotonic()
        alone = script.publish(user_id="ada", toast="ada 2")
        assert (alone["status"], alone["session_count"]) == ("queued", 0)
        assert time.monotonic() - began < PUBLISH_SECONDS
        adas = [bird for bird in birds.birds if bird.user == "ada"]
        assert birds.run(partial(have, adas, {told["id"], alone["id"]}), BACK_SECONDS)
    assert birds.faults() == []


def test_redis_without_memory_is_no_worse_than_one_that_is_away(scene, own_redis):
    cluster, birds = scene()
    with publishers(cluster) as (ada, bob):
        whole_again(birds, ada, EVERYBODY, 0)
        own_redis.ask("CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(Exception, match="maxmemory"):
            own_redis.ask("SET", "filling", "x")
        full = time.monotonic()
        assert birds.run(lambda: ada.tries[-1].at > full + 1)
        own_redis.ask("CONFIG", "SET", "maxmemory", "0")
        assert whole_again(birds, ada, EVERYBODY, time.monotonic()) < BACK_SECONDS
    check(cluster, birds, ada, bob)
    assert latest(birds, ada, bob) < BACK_SECONDS


def test_a_listener_that_does_not_read_is_cut_off_by_redis_and_misses_nothing(scene, own_redis):
    # Without the proxy, which reads everything. The sweeper is not what finds it.
    cluster, birds = scene(redis=own_redis.url, due_ms=30_000)
    own_redis.ask("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1000000 0 0")
    frozen, other = cluster.places
    before = set(own_redis.clients("pubsub"))
    bobs = [bird for bird in birds.birds if bird.user == "bob"]
    with frozen_at_rest(cluster, frozen):
        fill_up(own_redis, before)
        told = other.publish("bob", "bob 1").answer
        assert told["session_count"] == 1
    assert birds.run(partial(have, bobs, {told["id"]}), BACK_SECONDS)
    assert birds.run(lambda: len(own_redis.clients("pubsub")) == 2)
    assert birds.faults() == []


def fill_up(redis, before):
    """Publish until the kernel's buffers are full, and Redis' own, and Redis ends a connection."""
    from redis import Redis

    with Redis(port=redis.port) as client:
        for _ in range(200):
            pipe = client.pipeline(transaction=False)
            for _ in range(20):  # larger ones Valkey does not copy, and does not count
                pipe.publish("toastkit:0:{workers}", bytes(10_000))
            pipe.execute()
            if set(redis.clients("pubsub")) < before:
                return
    pytest.fail("nobody was cut off")


def test_garbage_on_every_channel_is_dropped_and_nobody_is_shown_it(scene, own_redis):
    from redis import Redis

    cluster, birds = scene()
    with publishers(cluster) as (ada, bob):
        whole_again(birds, ada, EVERYBODY, 0)
        channels = own_redis.ask("PUBSUB", "CHANNELS")
        assert len(channels) >= 6  # ada's, bob's, everybody's, the workers', and each one's own
        heard = 0
        with Redis(port=own_redis.port) as client:
            for channel in channels:
                pipe = client.pipeline(transaction=False)
                for _ in range(10_000 // len(channels)):
                    pipe.publish(channel, garbage())
                heard += sum(pipe.execute())
        assert heard > 9000, "nobody heard it"
        assert whole_again(birds, ada, EVERYBODY, time.monotonic()) < BACK_SECONDS
    check(cluster, birds, ada, bob)


def garbage():
    """Return what is no message of ours, some of it almost one."""
    kind = random.randrange(4)
    if kind == 0:
        return os.urandom(random.randrange(200))
    if kind == 1:
        return b"[" * random.randrange(5000)
    if kind == 2:
        return random.choice([b"", b"null", b"{}", b"[]", b"[[]]", b'{"v":1}', b'{"v":1e999}'])
    return (
        b'{"v":1,"id":"x","kind":"toast","route":"u:ada","topic":"user:ada","name":"x","data":{}}'
    )
