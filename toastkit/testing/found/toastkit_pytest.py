"""What pytest finds wherever toastkit is installed: the fixture ``toasts``.

Imported in every run, so it is no part of a package and imports none before a test asks for the
fixture: that costs no time where it is not used, and a conftest may still have gevent patch.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from toastkit.testing import Toasts


@pytest.fixture
def toasts(request: pytest.FixtureRequest) -> Iterator[Toasts]:
    """Ask what was published in this test: ``assert toasts.to("ada").titles == ["Hello"]``.

    About the app of the fixture ``app`` if there is one, else about the only open ``Kit``.
    """
    from toastkit.testing.fixture import recorded

    with recorded(request) as toasts:
        yield toasts


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
    """Note which kits a fixture makes."""
    with _noting(fixturedef):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Note which kits a test makes by itself, or in unittest's ``setUp``."""
    with _noting(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Close the kits a test has made when it is over."""
    try:
        return (yield)
    finally:
        _end(item)


@contextmanager
def _noting(maker: object) -> Iterator[None]:
    kits = sys.modules.get("toastkit.kit")
    before = set(kits.open_kits) if kits else ()
    try:
        yield
    finally:
        if "toastkit.kit" in sys.modules:
            from toastkit.testing.hosts import made

            made(maker, before)


def _end(maker: object) -> None:
    if "toastkit.testing.hosts" in sys.modules:
        from toastkit.testing.hosts import ended

        ended(maker)


def pytest_fixture_post_finalizer(fixturedef: pytest.FixtureDef[Any]) -> None:
    """Close the kits a fixture has made when it ends."""
    _end(fixturedef)


@pytest.hookimpl(wrapper=True)
def pytest_assertrepr_compare(
    left: object, right: object
) -> Generator[None, list[list[str]], list[list[str]]]:
    """Say beside what differs what became of the toasts, and who got others."""
    said = yield
    # Only what is toastkit's own is asked: an attribute of somebody else's may be a trap.
    ours = (each for each in (left, right) if hasattr(type(each), "toastkit_note"))
    note = next((getattr(each, "toastkit_note", None) for each in ours), None)
    return [[*lines, note] for lines in said] if isinstance(note, str) else said
