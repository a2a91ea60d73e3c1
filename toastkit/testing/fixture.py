"""The work of pytest's fixture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from .toasts import Everywhere, Toasts, find_kit_of

APP = "app"
"""The fixture that gives a host's tests their app, as Flask's documentation has it."""


@contextmanager
def recorded(request: pytest.FixtureRequest) -> Iterator[Toasts]:
    """Record for one test, about its app."""

    def app() -> object:
        try:
            return request.getfixturevalue(APP)
        except pytest.FixtureLookupError as error:
            if error.request is not request:
                raise  # there is one, and it asks for what there is not
            return None

    with Everywhere(app) as everywhere:
        # Where a test does without it, it may make an app of its own.
        given = app() if APP in request.fixturenames else None
        # An app without toastkit, or what is no app at all, says nothing about which kit is meant.
        yield everywhere.toasts(given if find_kit_of(given) else None)
