"""The work of pytest's fixture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .toasts import Everywhere, Toasts, find_kit_of

if TYPE_CHECKING:
    import pytest

APP = "app"
"""The fixture that gives a host's tests their app, as Flask's documentation has it."""


@contextmanager
def recorded(request: pytest.FixtureRequest) -> Iterator[Toasts]:
    """Record for one test, about its app."""

    def app() -> object:
        return request.getfixturevalue(APP) if _has(request) else None

    with Everywhere(app) as everywhere:
        # Where a test does without it, it may make an app of its own.
        given = app() if APP in request.fixturenames else None
        # An app without toastkit, or what is no app at all, says nothing about which kit is meant.
        yield everywhere.toasts(given if find_kit_of(given) else None)


def _has(request: pytest.FixtureRequest) -> bool:
    known = request.session._fixturemanager  # noqa: SLF001 - pytest has no other way to ask
    return bool(known.getfixturedefs(APP, request.node))
