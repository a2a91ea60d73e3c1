"""What one process has counted."""

from __future__ import annotations

import pytest

from toastkit.metrics import FAMILIES
from toastkit.metrics.families import COMMIT, CONTROLS, HTTP, WORKERS
from toastkit.metrics.totals import Totals

pytestmark = pytest.mark.plain


@pytest.fixture
def totals() -> Totals:
    return Totals()


def test_counts_are_added_by_their_labels(totals: Totals) -> None:
    totals.add(HTTP, "connect", "1xx")
    totals.add(HTTP, "connect", "1xx", by=2.0)
    totals.add(HTTP, "connect", "4xx")
    assert totals.values == {
        (HTTP, "", ("connect", "1xx")): 3.0,
        (HTTP, "", ("connect", "4xx")): 1.0,
    }


@pytest.mark.parametrize(
    ("value", "bound"),
    [(0.0, "0.001"), (0.001, "0.001"), (0.0011, "0.0025"), (2.5, "2.5"), (2.6, "+Inf")],
)
def test_a_value_is_in_the_smallest_bucket_it_fits_in(
    totals: Totals, value: float, bound: str
) -> None:
    totals.observe(COMMIT, value)
    buckets = {labels[-1]: n for (_, kind, labels), n in totals.values.items() if kind == "_bucket"}
    assert [each for each, number in buckets.items() if number] == [bound]
    assert len(buckets) == len(COMMIT.buckets) + 1
    assert totals.values[COMMIT, "_sum", ()] == value


def test_only_what_has_changed_is_told_and_once(totals: Totals) -> None:
    totals.put(WORKERS, 1.0)
    totals.add(CONTROLS)
    assert totals.changed() == {(WORKERS, "", ()), (CONTROLS, "", ())}
    totals.put(WORKERS, 1.0)
    assert totals.changed() == set()
    totals.put(WORKERS, 0.0)
    assert totals.changed() == {(WORKERS, "", ())}


def test_what_has_no_labels_begins_at_nothing(totals: Totals) -> None:
    totals.begin(FAMILIES)
    assert set(totals.values.values()) == {0.0}
    begun = {family for family, _, _ in totals.values}
    assert begun == {each for each in FAMILIES if not (each.labels or each.kind == "gauge")}


def test_every_name_is_there_once_and_says_its_unit_and_kind() -> None:
    names = [family.name for family in FAMILIES]
    assert len(set(names)) == len(names)
    for family in FAMILIES:
        assert family.name.endswith("_total") == (family.kind == "counter")
        assert family.name.endswith("_seconds") == bool(family.buckets) or family.kind == "gauge"
        assert bool(family.mode) == (family.kind == "gauge")
        assert list(family.buckets) == sorted(family.buckets)
