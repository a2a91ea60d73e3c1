"""The page about testing shows tests that pass."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.pages import PAGES, modules
from tests.testing.conftest import Suite

pytestmark = pytest.mark.plain

FAILS = 'assert toasts.to("ada").titles == ["Order shipped"]'
TOLD = (
    "E       AssertionError: assert ['Order placed'] == ['Order shipped']",
    "E         <to ada: 'Order placed' (undelivered: no_session)>",
    "AssertionError: assert <pushed: nothing; published: 'Order placed' (undelivered: no_session)>",
)


def test_the_tests_of_the_page_pass_in_several_processes(suite: Suite, tmp_path: Path) -> None:
    files = {Path(name).stem: code for name, code in modules("testing.rst").items()}
    assert set(files) == {"shop", "conftest", "test_shop"}
    said = suite("-n2", "-W", "error", **files)
    assert f"{len(re.findall(r'def test_', files['test_shop']))} passed" in said
    left = {path.name for path in tmp_path.iterdir()} - {f"{name}.py" for name in files}
    assert left <= {"__pycache__"}, "a test run leaves nothing behind"


def test_the_failing_assert_is_told_as_shown(suite: Suite) -> None:
    files = {Path(name).stem: code for name, code in modules("testing.rst").items()}
    shown = re.search(r"^   >( +assert .*)\n((?:   E .*\n)+)", PAGES["testing.rst"], re.MULTILINE)
    assert shown is not None
    failing = [shown[1].strip(), FAILS, "assert toasts.pushed"]
    begin = "(client, toasts):\n    client.post('/orders')\n    "
    tests = "".join(f"def test_{n}{begin}{each}\n" for n, each in enumerate(failing))
    said = suite(passes=False, **files | {"test_shop": tests})
    told = [line.strip() for line in shown[2].splitlines()]
    for line in (*told, *TOLD):
        assert line in said
