"""Every series is explained, and what is explained is there."""

from __future__ import annotations

import re

import pytest

from tests.pages import PAGES
from toastkit.metrics import FAMILIES, Family

pytestmark = pytest.mark.plain

PAGE = PAGES["metrics.rst"]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_series_is_explained_with_its_labels(family: Family) -> None:
    labels = ", ".join(f"``{label}``" for label in family.labels)
    assert f"   * - ``{family.name}``\n     - {labels}".rstrip() + "\n     - " in PAGE


def test_no_series_is_explained_that_is_none() -> None:
    ends = {"histogram": ("", "_count", "_sum", "_bucket")}
    known = {family.name + end for family in FAMILIES for end in ends.get(family.kind, ("",))}
    assert (
        set(re.findall(r"\btoastkit_[a-z_]+_(?:total|seconds\w*)|toastkit_\w*up\b", PAGE)) <= known
    )


def test_alerts_ask_for_labels_that_there_are() -> None:
    known = {family.name: set(family.labels) for family in FAMILIES}
    asked = re.findall(r"(toastkit_\w+?)(?:_bucket|_count|_sum)?\{([^}]*)\}", PAGE)
    assert len(asked) > 5
    for name, selector in asked:
        assert set(re.findall(r"(\w+)=", selector)) <= known[name], (name, selector)


def test_no_label_is_anybodys_name() -> None:
    labels = {label for family in FAMILIES for label in family.labels}
    assert labels == {
        *("status", "transport", "reason", "kind", "state", "dialect", "result", "operation"),
        "event",
    }
