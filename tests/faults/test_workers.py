"""Workers that die, freeze and are replaced: exact counts, clients back in time, nothing lost."""

import resource
import time

import pytest

from tests.busy import BUSY
from tests.clients.returning import Swallow
from tests.cluster import wait_for
from tests.failpoints import POINTS, REDIS_POINTS
from tests.faults.conftest import (
    BACK_SECONDS,
    PUBLISH_SECONDS,
    STALL_SECONDS,
    Stream,
    frozen_at_rest,
    settle,
    whole_again,
)
from tests.postgres import ask

pytestmark = pytest.mark.plain
SECOND = 1.0 * BUSY
"""A second is promised; with four workers on two busy cores it took 0.4 at most."""
RETURN_SECONDS = 15
STEPS = [
    *(point for point in POINTS if not point.endswith(" tell")),  # in memory
    *REDIS_POINTS,
    "before answer",
    "after answer",
]


@pytest.fixture
def gather(make_cluster, flock, redis_server, redis_prefix):
    """Return a maker of a service, and of clients of these users at each of its workers."""

    def make(workers, *users, redis=redis_server, **settings):
        given = {"redis_prefix": redis_prefix, **settings}
        cluster = make_cluster(workers=workers, redis=redis.url, **given)
        birds = flock(cluster)
        for place in cluster.places:
            birds.come(cluster, users, address=place.address)
        assert birds.run(birds.all_here)
        joined(cluster)
        cluster.worst_stall()
        return cluster, birds

    return make


def joined(cluster):
    """Wait until every worker knows of all the others."""
    for place in cluster.places:
        wait_for(lambda at=place: at.publish("nobody", "Hi").answer["status"] == "undelivered")


def counts(places):
    return [place.publish("ada", "ada").answer["session_count"] for place in places]


def test_sessions_over_four_workers_are_counted_exactly(gather):
    cluster, birds = gather(4, "ada", "ada", "bob")
    assert counts(cluster.places * 3) == [8] * 12
    dead, *others = cluster.places
    pid = dead.kill()
    assert birds.all_here(), "its clients have come back already"
    assert counts(others) == [6] * 3
    dead.followed(pid)
    assert birds.run(lambda: sum(len(bird.codes) for bird in birds.birds) == 3)
    assert birds.run(birds.all_here)
    joined(cluster)
    assert counts(cluster.places) == [8] * 4
    assert birds.faults() == []


def test_sessions_of_a_frozen_worker_are_not_counted_and_hold_nobody_up(gather):
    cluster, birds = gather(4, "ada", "bob")
    frozen, *others = cluster.places
    with frozen_at_rest(cluster, frozen):
        told = [place.publish("ada", f"ada {place.number}") for place in others]
        assert [each.answer["session_count"] for each in told] == [3] * 3
        assert max(each.seconds for each in told) < PUBLISH_SECONDS
        sets = [set(bird.shown) for bird in birds.birds if bird.user == "ada"]
    assert birds.run(lambda: counts(cluster.places) == [4] * 4)
    ids = {each.answer["id"] for each in told}
    assert sets[0] & ids == set()
    assert birds.run(lambda: all(ids <= set(b.shown) for b in birds.birds if b.user == "ada"))
    assert birds.faults() == []


def test_clients_of_a_killed_worker_are_back_in_time_and_miss_nothing(gather):
    cluster, birds = gather(2, *["ada"] * 10, "bob")
    dead, other = cluster.places
    with Stream([other], "ada") as ada, Stream([other], "bob") as bob:
        ada.many()
        pid = dead.kill()
        assert birds.run(lambda: sum(len(bird.codes) for bird in birds.birds) == 11, 5)
        assert birds.run(birds.all_here)
        assert birds.longest_away() < BACK_SECONDS
        dead.followed(pid)
        assert whole_again(birds, ada, 20, time.monotonic()) < BACK_SECONDS
    assert ada.statuses() | bob.statuses() == {202}
    assert max(ada.slowest(), bob.slowest()) < PUBLISH_SECONDS
    settle(birds, ada, bob)
    assert sum(len(bird.codes) for bird in birds.birds) == 11, "others were cut off, too"


@pytest.mark.parametrize(
    "url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True
)
def test_a_worker_killed_between_any_two_steps_loses_nothing(gather, url):
    cluster, birds = gather(2, "ada", "bob", database=url, due_ms=400, sweep_ms=100)
    with Stream(cluster.places, "ada", 0.01) as ada, Stream(cluster.places, "bob") as bob:
        for step in STEPS:
            cluster.arm(step)
            assert birds.run((cluster.folder / "fired").exists), f"nobody came to {step}"
            pid = cluster.fired()
            [place] = [each for each in cluster.places if each.pid == pid]
            place.followed(pid)
        assert birds.run(birds.all_here)
        assert whole_again(birds, ada, 2, time.monotonic()) < BACK_SECONDS
    assert ada.statuses() | bob.statuses() <= {202, 0}
    settle(birds, ada, bob)
    # Undelivered stays what was shown at a return, if its worker died before it had noted that.
    query = "SELECT count(*) FROM toastkit_toasts WHERE state NOT IN ('written', 'undelivered')"
    assert birds.run(lambda: ask(cluster.database, query) == [(0,)])


@pytest.mark.parametrize("seconds", [2, pytest.param(20, marks=pytest.mark.long)])
def test_who_freezes_goes_on_where_it_was_and_tells_nothing_that_is_over(gather, seconds):
    cluster, birds = gather(2, "ada", "bob")
    frozen, other = cluster.places
    with Stream([other], "ada", pause=seconds / 40) as ada:
        ada.many()
        with frozen_at_rest(cluster, frozen):
            short = other.publish("bob", "bob short", ttl_ms=1000)
            assert short.answer["session_count"] == 1
            birds.run(lambda: False, seconds)
        assert whole_again(birds, ada, 2, time.monotonic()) < BACK_SECONDS
    assert ada.statuses() == {202}
    assert ada.slowest() < PUBLISH_SECONDS
    settle(birds, ada)
    there = [bird for bird in birds.birds if bird.user == "bob"]
    assert [short.answer["id"] in bird.shown for bird in there] == [False, True]
    assert cluster.worst_stall() < STALL_SECONDS


crowd = [pytest.mark.long, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    ("many", "way"),
    [
        (100, "roll"),
        pytest.param(100, "reload", marks=pytest.mark.long),
        pytest.param(2000, "roll", marks=crowd),
        pytest.param(2000, "reload", marks=crowd),
    ],
)
def test_a_restart_tells_all_brings_all_back_and_refuses_nobody(gather, many, way):
    enough_files(many)
    cluster, birds = gather(2)
    if many < 2000:
        birds.spread = 1.0
    users = [f"user{number}" for number in range(many)]
    for first in range(0, many, 100):
        birds.come(cluster, users[first : first + 100])
        assert birds.run(birds.all_here, 60)
    with Stream([cluster], "user0", pause=0.15) as stream:
        stream.many(3)
        getattr(cluster, way)(60)
        assert birds.run(lambda: all(bird.codes for bird in birds.birds), 10)
        assert birds.run(birds.all_here, 60)
    assert birds.longest_away() < RETURN_SECONDS
    assert {code for bird in birds.birds for code in bird.codes} == {1012}
    assert birds.statuses() == []
    assert stream.statuses() == {202}
    settle(birds, stream)
    assert sum(place.probe()["connections"] for place in cluster.places) == many


def enough_files(many):
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed < 2 * many + 500:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(2 * many + 500, most), most))


@pytest.mark.parametrize("redis", ["there", "away"])
def test_who_is_signed_out_is_out_everywhere_within_a_second(gather, own_redis, redis):
    # Each way alone: over Redis, while nobody looks into the database, or by looking there.
    seldom = {"sweep_ms": 3_600_000} if redis == "there" else {}
    cluster, birds = gather(4, redis=own_redis, **seldom)
    tokens = cluster.sessions("ada", "ada")
    hers, others = ([gateway(cluster, token)] * 4 for token in tokens)
    for ticket in (*hers, *others):
        place = cluster.places[len(birds.birds) % 4]
        birds.birds.append(Swallow(birds, "ada", ticket, address=place.address))
    assert birds.run(birds.all_here)
    bearers = [{"Authorization": f"Bearer {token}"} for token in tokens]
    for place in cluster.places * 2:
        assert place.request("GET", "/v1/toasts", **bearers[0])[0] == 200
    if redis == "away":
        own_redis.kill()
    assert cluster.places[0].request("DELETE", "/auth/session", **bearers[0])[0] == 200
    signed_out = time.monotonic()
    assert birds.run(lambda: all(bird.codes for bird in birds.birds[:4]), 10)
    assert time.monotonic() - signed_out < SECOND
    assert {bird.codes[0] for bird in birds.birds[:4]} == {4001}
    for place in cluster.places:
        wait_for(lambda at=place: at.request("GET", "/v1/toasts", **bearers[0])[0] == 401)
    assert time.monotonic() - signed_out < SECOND
    assert not any(bird.codes for bird in birds.birds[4:])
    assert cluster.request("GET", "/v1/toasts", **bearers[1])[0] == 200


def gateway(cluster, token):
    bearer = {"Authorization": f"Bearer {token}"}
    body = {"device_id": "phone"}
    status, answer = cluster.request("POST", "/v1/sessions/toast-bootstrap", body, **bearer)
    assert status == 200, answer
    return answer["token"]
