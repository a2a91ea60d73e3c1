"""The page tells what is broken, what is looked for, and what is planted."""

import re

import pytest

from tests.chaos.checker import PROMISES
from tests.chaos.faults import GROUND, PEOPLE
from tests.chaos.mutants import MUTANTS, ROOT

pytestmark = pytest.mark.plain
PAGE = re.sub(r"\s+", " ", (ROOT / "docs" / "reliability.rst").read_text(encoding="utf-8"))


def test_every_fault_is_documented_and_no_other():
    table = PAGE.partition(":name: faults")[2].partition("*What is looked for*")[0]
    assert {*re.findall(r"\*(\w[^*]+)\*", table)} == GROUND.keys() | PEOPLE.keys()


def test_every_promise_is_documented():
    table = PAGE.partition(":name: promises")[2]
    assert [name for name in PROMISES if f"* - {name} -" not in table] == []


def test_every_mutant_is_documented():
    assert [mutant.name for mutant in MUTANTS if mutant.name not in PAGE] == []
