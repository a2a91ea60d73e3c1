"""Whatever happens in whatever order, crashes included: what is promised of a toast holds."""

import os
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.engine import make_url

from tests.model.rules import Delivery
from toastkit.storage import upgrade

pytestmark = pytest.mark.plain

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "6"))
"""How many histories are tried on each database; the long run tries forty times as many."""
SHRINK = os.environ.get("MODEL_SHRINK") == "1"
"""Whether a history that ends badly is made as short as possible, which takes minutes."""


SLOW = (Phase.shrink, Phase.explain)


class Files:
    """Make SQLite databases, each with the newest schema."""

    def __init__(self, folder):
        self.folder, self.numbers = folder, count()
        self.template = folder / "template.db"
        upgrade(f"sqlite:///{self.template}")

    def fresh(self):
        path = self.folder / f"{next(self.numbers)}.db"
        path.write_bytes(self.template.read_bytes())
        return f"sqlite:///{path}"

    def drop(self, url):
        for path in self.folder.glob(f"{make_url(url).database.rpartition('/')[2]}*"):
            path.unlink()


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request, tmp_path):
    if request.param == "postgresql":
        return request.getfixturevalue("postgres")
    return Files(tmp_path)


def run(databases, **given):
    machine = type("Here", (Delivery,), {"databases": databases})
    quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    given["phases"] = [phase for phase in Phase if SHRINK or phase not in SLOW]
    chosen = settings(deadline=None, suppress_health_check=quiet, print_blob=True, **given)
    run_state_machine_as_test(machine, settings=chosen)


@pytest.mark.timeout(400)
def test_whatever_happens_a_toast_ends_as_promised(databases):
    run(databases, max_examples=EXAMPLES, stateful_step_count=30)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_whatever_happens_for_long_a_toast_ends_as_promised(databases):
    run(databases, max_examples=40 * EXAMPLES, stateful_step_count=50)
