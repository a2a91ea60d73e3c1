"""A worker that is killed at any moment of a publish loses nothing and leaves nothing half done."""

import os
import random
import signal
import time
from contextlib import contextmanager

import pytest

from tests.failpoints import POINTS
from tests.races.crowd import SECRET, Page, Publisher

pytestmark = [pytest.mark.plain, pytest.mark.timeout(1800)]
both = pytest.mark.parametrize(
    "shared", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True
)
APP = "tests.races.app:create_app()"
ENDED = {"written", "acked", "undelivered"}


def wait_for(fact, seconds=20):
    """Wait until something is so; return whether it ever was."""
    until = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture
def crowd(serve, shared, tmp_path):
    """Return a maker of a server under load; whatever befell it is checked at its end."""

    @contextmanager
    def gather():
        server = serve(
            app=APP,
            options=["--preload"],  # a fork is there at once
            TOASTKIT_DATABASE_URL=shared.url,
            TOASTKIT_PUBLISH_SECRET=SECRET,
            RACES_ARMED=tmp_path / "armed",
        )
        page = Page(server, "ada")
        page.start()
        assert page.greeted.wait(10)
        publishers = [Publisher(server, "ada", f"p{n}", keyed=n % 2 == 0) for n in range(4)]
        for each in publishers:
            each.start()
        yield server, page
        for each in publishers:
            each.leave()
        assert wait_for(lambda: {row["state"] for row in shared.rows()} <= ENDED)
        assert wait_for(lambda: set(page.shown) >= {row["id"] for row in shared.rows()})
        page.leave()
        check(shared, page, publishers)

    return gather


def check(shared, page, publishers):
    rows = shared.rows()
    by_id = {row["id"]: row for row in rows}
    titles = [row["title"] for row in rows]
    assert len(titles) == len(set(titles)), "published twice"
    assert page.faults == []
    for publisher in publishers:
        assert publisher.faults == []
        for title, id in publisher.accepted.items():
            assert by_id[id]["title"] == title, "accepted, and lost"
        known = publisher.accepted.keys() | publisher.unknown
        mine = {title for title in titles if title.startswith(f"{publisher.name}-")}
        assert mine <= known, "refused, but kept"
    assert set(page.shown) == set(by_id)
    # Nothing half done: a position without its toast, a claim without its toast, or without a claim.
    seqs = [row["seq"] for row in rows]
    [principal] = shared.rows("SELECT seq FROM toastkit_principals WHERE user_id = 'ada'")
    assert len(seqs) == len(set(seqs))
    assert principal["seq"] == seqs[-1]
    claims = {row["toast_id"]: row["key"] for row in shared.rows("SELECT * FROM toastkit_dedupe")}
    assert claims == {row["id"]: row["dedupe_key"] for row in rows if row["dedupe_key"]}


@both
def test_a_worker_killed_between_any_two_steps_of_a_publish_loses_nothing(crowd, tmp_path):
    armed, fired = tmp_path / "armed", tmp_path / "armed.fired"
    with crowd() as (server, page):
        for point in [*POINTS, "before answer", "after answer"]:
            [worker] = server.workers()
            armed.with_suffix(".new").write_text(point)
            armed.with_suffix(".new").rename(armed)
            assert wait_for(fired.exists), f"nobody came to {point!r}"
            fired.unlink()
            assert wait_for(lambda old=worker: old not in server.workers())
            page.greeted.clear()
            assert page.greeted.wait(20), "the page never came back"


def kill_at_random(crowd, times):
    choice = random.Random()
    with crowd() as (server, page):
        for _ in range(times):
            [worker] = server.workers()
            time.sleep(choice.uniform(0, 0.3))
            os.kill(worker, signal.SIGKILL)
            assert wait_for(lambda old=worker: old not in server.workers())
            page.greeted.clear()
            assert page.greeted.wait(20), "the page never came back"


@both
def test_a_worker_killed_at_random_moments_loses_nothing(crowd):
    kill_at_random(crowd, 5)


@pytest.mark.long
def test_a_worker_killed_at_two_hundred_random_moments_loses_nothing(crowd):
    kill_at_random(crowd, 200)
