"""A service behind a real nginx, with the configuration that the documentation shows."""

import re
from contextlib import ExitStack

import pytest

from tests import nginx
from tests.clients.lines import Lines
from tests.faults.conftest import Stream, settle
from tests.nginx import Nginx, shown
from tests.pages import PAGES

pytestmark = [pytest.mark.plain, pytest.mark.skipif(nginx.BINARY is None, reason=nginx.MISSING)]
SHORT = 2
"""Seconds that stand for the 75 of the documentation; a ping a second for one in 25."""


@pytest.fixture
def in_front(tmp_path):
    """Return a maker of an nginx, from a page's configuration and where the service is."""
    with ExitStack() as stack:
        yield lambda config, to, **more: stack.enter_context(Nginx(tmp_path, config, to, **more))


@pytest.mark.parametrize("way", ["roll", "reload"])
def test_a_restart_behind_it_refuses_nobody(
    make_cluster, flock, redis_server, redis_prefix, in_front, way
):
    cluster = make_cluster(workers=2, redis=redis_server.url, redis_prefix=redis_prefix)
    front = in_front(shown(), cluster.host)
    birds = flock(front)
    birds.spread = 1.0
    birds.come(front, ["ada"] * 20)
    assert birds.run(birds.all_here)
    with Stream([front], "ada") as ada, Stream([front], "bob", 0.005) as bob:
        ada.many()
        getattr(cluster, way)(60)
        assert birds.run(lambda: all(bird.codes for bird in birds.birds), 10)
        assert birds.run(birds.all_here, 60)
    assert {code for bird in birds.birds for code in bird.codes} == {1012}
    assert ada.statuses() | bob.statuses() == {202}
    assert set(front.statuses) == {101, 200, 202}
    settle(birds, ada)
    assert front.errors == ""


def test_of_two_units_behind_it_one_may_restart(
    make_cluster, flock, redis_server, redis_prefix, in_front
):
    first = make_cluster(workers=1, redis=redis_server.url, redis_prefix=redis_prefix)
    second = make_cluster(
        workers=1, redis=redis_server.url, redis_prefix=redis_prefix, database=first.database
    )
    units = shown("deploy/restarts.rst")
    for port, unit in (("8001", first), ("8002", second)):
        units = units.replace(f"127.0.0.1:{port}", unit.host)
    front = in_front(units + shown().replace("127.0.0.1:8000", "shop"), "")
    birds = flock(front)
    birds.spread = 1.0
    birds.come(front, ["ada"] * 10)
    assert birds.run(birds.all_here)
    with Stream([front], "ada") as ada, Stream([front], "bob", 0.005) as bob:
        ada.many()
        first.stop()
        bob.many(50)
        assert birds.run(birds.all_here, 60)
    assert ada.statuses() | bob.statuses() == {202}
    assert set(front.statuses) == {101, 200, 202}
    settle(birds, ada)


def test_who_hears_nothing_for_long_stays(make_cluster, flock, in_front):
    cluster = make_cluster(workers=1, ping_seconds=1)
    config, many = re.subn(r"proxy_read_timeout \d+s", f"proxy_read_timeout {SHORT}s", shown())
    assert many == 1
    front = in_front(config, cluster.host)
    birds = flock(front)
    birds.come(front, ["ada"])
    with Lines(front.address, **{"X-User": "ada", "X-ToastKit": "1"}) as lines:
        assert lines.head()[0] == 200
        assert lines.next()["type"] == "connection_ack", "the stream waits in a buffer"
        assert not birds.run(lambda: birds.birds[0].codes, 1.5 * SHORT)
        assert front.publish("ada", "Hi").answer["session_count"] == 2
        while (said := lines.next())["type"] == "heartbeat":
            pass
        assert said["toast"]["title"] == "Hi"
        assert birds.run(lambda: birds.birds[0].shown)


def test_who_is_connected_stays_when_it_is_reloaded_until_it_may_not(make_cluster, flock, in_front):
    assert "``worker_shutdown_timeout 10m;``" in PAGES["howto/nginx.rst"]
    cluster = make_cluster(workers=1)
    front = in_front(shown(), cluster.host, above=f"worker_shutdown_timeout {SHORT}s;")
    birds = flock(front)
    birds.come(front, ["ada"])
    assert birds.run(birds.all_here)
    [old] = front.workers()
    front.reload()
    told = front.publish("ada", "ada 1").answer
    assert told["session_count"] == 1, "the old worker has it still"
    assert birds.run(lambda: birds.birds[0].codes)
    assert birds.run(birds.all_here)
    assert birds.run(lambda: old not in front.workers())
    assert front.publish("ada", "ada 2").answer["session_count"] == 1
    assert birds.faults() == []
