"""Histories that once ended badly, step by step."""

import pytest

from tests.model.rules import Delivery
from tests.model.test_delivery import Files

pytestmark = pytest.mark.plain


@pytest.fixture
def history(tmp_path):
    """Return the machine of the model; all must be well at its end."""
    machine = type("Here", (Delivery,), {"databases": Files(tmp_path)})()
    yield machine
    machine.teardown()


PLAIN = {"user": "ada", "tail": "", "key": None, "collapse": None, "ttl": None}


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
