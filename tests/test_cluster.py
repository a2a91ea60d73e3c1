"""The cluster that tests harm: what is done to it has happened, and is seen."""

import signal
from http.client import HTTPException

import pytest

from tests.cluster import Cluster, alive, wait_for

pytestmark = pytest.mark.plain


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, sqlite_template):
    folder = tmp_path_factory.mktemp("cluster")
    database = folder / "toastkit.db"
    database.write_bytes(sqlite_template.read_bytes())
    with Cluster(folder, database=f"sqlite:///{database}", workers=2) as cluster:
        yield cluster


def test_each_place_is_one_worker(cluster):
    told = [place.probe() for place in cluster.places for _ in range(3)]
    assert [each["place"] for each in told] == [0, 0, 0, 1, 1, 1]
    assert {each["pid"] for each in told} == set(cluster.workers())
    assert [place.pid for place in cluster.places] == [told[0]["pid"], told[3]["pid"]]


def test_who_is_killed_is_followed_at_the_same_place(cluster):
    first, second = cluster.places
    there, old = second.pid, first.kill()
    assert not alive(old)
    first.followed(old)
    assert first.probe()["pid"] == first.pid != old
    assert second.probe()["pid"] == there


def test_a_worker_ends_at_the_armed_point_and_only_the_one_meant(cluster):
    first, second = cluster.places
    cluster.arm("before commit", place=second)
    assert first.publish("ada", "one").status == 202
    old = second.pid
    with pytest.raises((OSError, HTTPException)):
        second.publish("ada", "two")
    assert cluster.fired() == old
    second.followed(old)
    assert second.publish("ada", "three").status == 202


def test_a_worker_freezes_at_the_armed_point(cluster):
    [place, _] = cluster.places
    cluster.arm("after answer", number=signal.SIGSTOP, place=place)
    assert place.publish("ada", "one").status == 202
    assert cluster.fired() == place.pid
    with place.frozen():
        pass
    assert place.publish("ada", "two").status == 202


def test_a_loop_that_stands_still_is_seen_and_a_frozen_worker_is_none(cluster):
    [place, _] = cluster.places
    with place.frozen(), pytest.raises(TimeoutError):
        wait_for(lambda: False, 0.5)
    cluster.worst_stall()  # what came before
    assert cluster.worst_stall() < 0.2
    assert place.request("POST", "/stall/0.3")[0] == 204
    assert 0.25 < cluster.worst_stall() < 2


def test_workers_are_replaced_all_at_once_and_one_after_the_other(cluster):
    pids = set(cluster.workers())
    cluster.reload()
    assert len(set(cluster.workers()) - pids) == 2
    cluster.roll()
    assert len(set(cluster.workers()) - pids) == 2
    assert cluster.request("GET", "/health")[0] == 200


def test_a_script_publishes_beside_the_workers(cluster):
    with cluster.script() as script:
        assert script.publish(user_id="ada", toast="one")["status"] == "queued"
