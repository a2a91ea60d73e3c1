"""What tests of verifiers lean on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.verifiers.endpoint import Endpoint, endpoint
from tests.verifiers.signing import NOW
from toastkit.testing import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW * 1000)


@pytest.fixture
def provider() -> Iterator[Endpoint]:
    with endpoint() as here:
        yield here
