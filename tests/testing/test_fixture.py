"""Where the fixture looks for the app of a host's tests."""

from __future__ import annotations

import pytest
from flask import Flask

from toastkit.testing.fixture import recorded


@pytest.fixture
def app(a_fixture_nobody_has: Flask) -> Flask:
    return a_fixture_nobody_has


def test_an_app_that_cannot_be_made_says_what_it_lacks(request: pytest.FixtureRequest) -> None:
    with recorded(request) as toasts, pytest.raises(pytest.FixtureLookupError) as lacking:
        _ = toasts.kit
    assert lacking.value.argname == "a_fixture_nobody_has"
