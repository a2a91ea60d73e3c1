"""Clients that vanish without a word, or never read: found, cut off, and nothing lost for them."""

import time

import pytest

from tests.clients.lines import vanish
from tests.faults.conftest import BACK_SECONDS, STALL_SECONDS, Stream, settle

pytestmark = pytest.mark.plain


def test_who_vanishes_is_found_by_its_silence_and_misses_nothing(make_cluster, flock):
    cluster = make_cluster(workers=1, ping_seconds=1, pong_seconds=1)
    birds = flock(cluster)
    gone, stays = birds.come(cluster, ["ada", "bob"])
    assert birds.run(birds.all_here)
    vanish(gone.sock)
    first = cluster.publish("ada", "ada 1")
    assert first.answer["session_count"] == 1, "it was found before it could be"
    found = time.monotonic()

    assert birds.run(lambda: cluster.places[0].probe()["connections"] == 1, 10)
    assert time.monotonic() - found < 1 + 1 + BACK_SECONDS
    assert not gone.shown, "it heard what it could not"
    last = cluster.publish("ada", "ada 2")
    assert last.answer["reason"] == "no_session"
    assert stays.here
    gone.close()
    assert birds.run(lambda: {first.answer["id"], last.answer["id"]} <= gone.shown.keys())
    assert birds.faults() == []
    assert stays.codes == []


def test_who_never_reads_is_cut_off_delays_nobody_and_misses_nothing(make_cluster, flock):
    cluster = make_cluster(workers=1, slow_seconds=2)
    birds = flock(cluster)
    birds.come(cluster, ["ada"] * 10)
    [mute] = birds.come(cluster, ["mute"], receive_buffer=4096)
    assert birds.run(birds.all_here)
    cluster.worst_stall()
    mute.pause()
    with (
        Stream([cluster], "ada", pause=0.01) as good,
        Stream([cluster], "mute", pause=0, body="x" * 2000) as bad,
    ):

        def cut():
            return bool(bad.tries) and bad.tries[-1].answer["reason"] == "no_session"

        assert birds.run(cut, 20), "it was never cut off"
        many = len(bad.tries)
        while good.tries and len(good.tries) < 20:
            birds.run(lambda: False, 0.05)
    assert many < 190, "what it missed is more than is replayed"
    assert not mute.gone
    mute.listen()
    settle(birds, good, bad)
    assert mute.codes == [4008]
    assert not any(bird.codes for bird in birds.birds[:-1])
    assert good.slowest() < 1.5  # nobody waits until it is cut off
    assert cluster.worst_stall() < STALL_SECONDS
