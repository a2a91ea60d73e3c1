"""Senders of pushes to our Apple."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.apple.papers import Papers
from tests.apple.server import Apple
from tests.senders.apns.pushes import settings
from toastkit.clock import SystemClock
from toastkit.senders.apns import ApnsSender

Make = Callable[..., ApnsSender]


@pytest.fixture
def make(apple: Apple) -> Iterator[Make]:
    """Make a sender of pushes to our Apple; it is closed at the end."""
    with ExitStack() as ending:

        def make(*, clock: Any = None, seconds: float = 5, **given: Any) -> ApnsSender:
            sender = ApnsSender(settings(apple, **given), clock or SystemClock(), seconds)
            ending.callback(sender.close)
            return sender

        yield make


@pytest.fixture
def sender(make: Make) -> ApnsSender:
    return make()


@pytest.fixture
def sandbox(papers: Papers) -> Iterator[Apple]:
    """Run the other environment."""
    with Apple(papers) as sandbox:
        yield sandbox
