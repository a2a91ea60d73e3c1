"""The page about testing shows tests that pass."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.pages import PAGES, modules
from tests.testing.conftest import Suite

pytestmark = pytest.mark.plain


def test_the_tests_of_the_page_pass(suite: Suite, tmp_path: Path) -> None:
    files = {Path(name).stem: code for name, code in modules("testing.rst").items()}
    assert set(files) == {"shop", "conftest", "test_shop"}
    said = suite("-W", "error", **files)
    assert f"{len(re.findall(r'def test_', files['test_shop']))} passed" in said
    left = {path.name for path in tmp_path.iterdir()} - {f"{name}.py" for name in files}
    assert left <= {"__pycache__"}, "a test run leaves nothing behind"


def test_the_failing_assert_is_told_as_shown(suite: Suite) -> None:
    files = {Path(name).stem: code for name, code in modules("testing.rst").items()}
    shown = re.search(r"^   >( +assert .*)\n((?:   E .*\n)+)", PAGES["testing.rst"], re.MULTILINE)
    assert shown is not None
    test = f"def test_it(client, toasts):\n    client.post('/orders')\n    {shown[1].strip()}\n"
    said = suite(passes=False, **files | {"test_shop": test})
    for line in shown[2].splitlines():
        assert line.strip() in said
