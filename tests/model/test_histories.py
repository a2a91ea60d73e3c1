"""Histories step by step: a crash at each point, and those that once ended badly."""

import pytest

from tests.failpoints import POINTS, PUSH_POINTS
from tests.model.rules import Delivery
from tests.model.test_delivery import databases

__all__ = ["databases"]
pytestmark = pytest.mark.plain


@pytest.fixture
def history(databases):
    """Return the machine of the model; all must be well at its end."""
    machine = type("Here", (Delivery,), {"databases": databases})()
    yield machine
    machine.teardown()


PLAIN = {"user": "ada", "tail": "", "key": None, "collapse": None, "ttl": None}


@pytest.mark.parametrize("point", POINTS)
def test_a_crash_between_any_two_steps_is_made_good(history, point):
    history.connect(user="ada", foreground=True, tail="")
    history.publish_elsewhere(**PLAIN)
    history.arm(point=point, hits=1)
    history.publish(**PLAIN | {"key": "k1"})
    given = {"user": "ada", "key": None, "commit": True, "elsewhere": False}
    history.publish_joined(**given, fates=["plain", "kept", "undone"])
    history.wait(seconds=2.5)
    assert history.service.armed is None, "it did not come there"
    history.come_back(n=0, recover="position")
    history.publish(**PLAIN)
    history.wait(seconds=6.0)
    [client] = history.here()
    assert client.shown.keys() == history.model.rows.keys()


@pytest.mark.parametrize("point", PUSH_POINTS)
def test_a_crash_between_any_two_steps_of_a_push_is_made_good(history, point):
    history.register(user="ada", n=0)
    history.arm(point=point, hits=1)
    history.publish(**PLAIN | {"key": "k1"})
    history.wait(seconds=6.0)
    assert history.service.armed is None, "it did not come there"
    [row] = history.model.rows.values()
    assert row.state == "sent"


def test_an_ack_while_a_push_is_owed_lets_no_phone_ring(history):
    history.register(user="ada", n=0)
    history.connect(user="ada", foreground=True, tail="")
    history.drop(n=0)
    history.push_service(mood="is busy")
    history.publish(**PLAIN)
    history.come_back(n=0, recover="position")
    history.ack(n=0, many=1)
    history.push_service(mood="takes")
    history.wait(seconds=6.0)
    [row] = history.model.rows.values()
    assert (row.state, row.pushed) == ("acked", False)


def test_a_phone_that_has_changed_hands_does_not_ring_for_its_former_owner(history):
    history.register(user="ada", n=0)
    history.push_service(mood="is busy")
    history.publish(**PLAIN)
    history.register(user="bob", n=0)
    history.push_service(mood="takes")
    history.wait(seconds=6.0)
    [row] = history.model.rows.values()
    assert (row.state, row.pushed) == ("undelivered" if not row.refused else "failed", False)


def test_a_toast_now_or_never_is_told_behind_one_that_was_missed(history):
    history.connect(user="ada", foreground=True, tail="")
    history.publish_elsewhere(**PLAIN)
    history.publish(**PLAIN | {"ttl": 0})


def test_an_id_whose_toast_was_published_anew_is_no_place_to_go_on_from(history):
    history.connect(user="ada", foreground=False, tail="")
    history.publish(**PLAIN | {"key": "k1"})
    history.drop(n=0)
    history.publish(**PLAIN)
    history.publish(**PLAIN | {"key": "k1"})
    history.come_back(n=0, recover="id")


def test_a_stuck_client_delays_no_other_and_misses_nothing(history):
    history.connect(user="ada", foreground=True, tail="")
    history.connect(user="ada", foreground=True, tail="")
    well, stuck = history.here()
    stuck.connection.transport.takes = 0
    wish = history.wish("ada", "", None, None, None)
    history.wishes.append(wish)
    kit = history.service.serving
    receipt = history.act(lambda: kit.publish_toast("ada", wish.title, **wish.given()))
    assert receipt.status == "queued", "it is not known whether the stuck client gets it"
    history.learn(states=False)
    history.model.rows[receipt.id].unsure = True
    history.wait(seconds=6.0)  # more than slow_seconds
    assert history.model.rows[receipt.id].state == "written"
    assert list(well.shown) == [receipt.id]
    assert stuck.connection.ending
    stuck.connection = None
    history.come_back(n=0, recover="position")
    assert list(stuck.shown) == [receipt.id]
