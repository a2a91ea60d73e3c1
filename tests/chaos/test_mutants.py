"""What the mutant gate plants is still there to be planted, and who catches it, too."""

import pytest

from tests.chaos.mutants import MUTANTS, ROOT

pytestmark = pytest.mark.plain


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_bug_can_still_be_planted(mutant):
    assert (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.old) == 1
    for test in mutant.caught_by:
        file, _, name = test.partition("::")
        assert f"def {name}" in (ROOT / file).read_text(encoding="utf-8")


def test_there_are_ten():
    assert len({mutant.name for mutant in MUTANTS}) == 10
