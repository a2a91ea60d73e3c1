"""PostgreSQL that restarts, or ends everybody's connections: refused in time, nothing lost."""

import time

import pytest

from tests.faults.conftest import BACK_SECONDS, STALL_SECONDS, Stream, settle, whole_again

pytestmark = pytest.mark.plain
REFUSED_SECONDS = 3
"""Two seconds, and a busy machine."""

OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = '{}' AND pid <> pg_backend_pid()
"""


@pytest.fixture
def scene(make_cluster, pg, flock, redis_server, redis_prefix):
    """Return a service on PostgreSQL and its clients, who are there."""
    redis = {"redis": redis_server.url, "redis_prefix": redis_prefix}
    cluster = make_cluster(database=pg, workers=2, **redis)
    birds = flock(cluster)
    for place in cluster.places:
        birds.come(cluster, ["ada"] * 2, address=place.address)
    assert birds.run(birds.all_here)
    cluster.worst_stall()
    return cluster, birds


def accepts_again(birds, stream, since):
    """Wait for a publish that is accepted after all this; return how long that took."""
    assert birds.run(lambda: any(each.status == 202 and each.at > since for each in stream.tries))
    return time.monotonic() - since


def check(cluster, birds, stream):
    assert stream.statuses() <= {202, 503}
    assert stream.slowest() < REFUSED_SECONDS
    settle(birds, stream)
    assert not any(bird.codes for bird in birds.birds), "a socket ended"
    assert cluster.worst_stall() < STALL_SECONDS


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_restart_refuses_some_and_loses_nothing(scene, postgres, how):
    cluster, birds = scene
    with Stream(cluster.places, "ada") as stream:
        stream.many()
        before = postgres.run("SELECT pg_postmaster_start_time()")
        postgres.stop(how)
        assert birds.run(lambda: 503 in stream.statuses(), 10), "nobody noticed"
        postgres.start()
        back = time.monotonic()
        assert postgres.run("SELECT pg_postmaster_start_time()") != before
        assert accepts_again(birds, stream, back) < BACK_SECONDS
        assert whole_again(birds, stream, 4, back) < BACK_SECONDS
    check(cluster, birds, stream)


def test_backends_that_are_terminated_again_and_again_lose_nothing(scene, postgres, pg):
    cluster, birds = scene
    ended = 0
    with Stream(cluster.places, "ada", pause=0) as stream:
        for _ in range(20):
            stream.many(3)
            ended += len(postgres.run(OTHERS.format(pg.partition("?")[0].rpartition("/")[2])))
            birds.run(lambda: False, 0.05)
        assert accepts_again(birds, stream, time.monotonic()) < BACK_SECONDS
    assert ended >= 20, "backends were not ended"
    check(cluster, birds, stream)
