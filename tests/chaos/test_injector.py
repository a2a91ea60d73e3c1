import random
from collections import Counter
from types import SimpleNamespace

import pytest

from tests.chaos import injector
from tests.chaos.faults import GROUND, PEOPLE, Scene
from tests.chaos.history import Broke, History
from tests.chaos.injector import Injector, kinds, plan

pytestmark = pytest.mark.plain


class Quiet:
    def publish_next(self):
        pass


@pytest.fixture
def inject(monkeypatch):
    """Do faults that were made up; return what was written down of each."""

    def inject(ground, people, many=6, seed=1):
        for group, faults in ((GROUND, ground), (PEOPLE, people)):
            monkeypatch.setattr(injector, "GROUND" if group is GROUND else "PEOPLE", faults)
        things = dict.fromkeys(("cluster", "crowd", "apple", "elsewhere", "proxy"))
        nowhere = SimpleNamespace()
        scene = Scene(**things, redis=nowhere, postgres=None, random=random.Random(), patience=0)
        history = History()
        Injector(scene, history, Quiet(), many=many, seed=seed).run()
        return history.of(Broke)

    return inject


def test_every_kind_is_done_as_often_as_the_others():
    planned = plan(list("abc"), 9, random.Random(1))
    assert Counter(planned) == {"a": 3, "b": 3, "c": 3}
    assert {*plan(list("abc"), 3, random.Random(2))} == {*"abc"}


def test_nothing_is_planned_where_nothing_can_be_done():
    assert plan([], 3, random.Random(1)) == []


def test_what_is_not_there_is_not_broken():
    assert not [name for name in kinds(GROUND, "sqlite", None) if name.startswith("redis")]
    assert "sqlite locked" in kinds(GROUND, "sqlite", None)
    assert "sqlite locked" not in kinds(GROUND, "postgresql", None)
    assert "postgresql restarted" in kinds(GROUND, "postgresql", None)
    assert len(kinds(GROUND, "postgresql", "redis") + kinds(PEOPLE, "sqlite", None)) > 20


def test_what_was_done_is_written_down_with_its_proof(inject):
    done = inject({"ground": lambda scene: "shaken"}, {"people": lambda scene: "scared"})
    assert Counter((each.kind, each.effect) for each in done) == {
        ("ground", "shaken"): 3,
        ("people", "scared"): 3,
    }


def test_a_fault_that_fails_has_no_effect(inject, capsys):
    done = inject({"ground": lambda scene: 1 / 0}, {"people": lambda scene: ""}, many=2)
    assert [each.effect for each in done] == ["", ""]
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_seed_decides_what_is_done_and_by_which_chance(inject):
    def drawn(seed):
        draw = {name: lambda scene: str(scene.random.random()) for name in "abc"}
        return sorted((each.kind, each.effect) for each in inject(draw, draw, seed=seed))

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
