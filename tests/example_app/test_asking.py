"""What the service's ``/openapi.json`` says of it is so, in demo mode and with everything mounted."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.asking import Asking
from tests.matrix import Wallet

pytestmark = pytest.mark.plain

SETTINGS = {"RATE_LIMITS": "0", "TOASTKIT_GATEWAY": "portable"}
"""A test client has no socket to take."""


def test_every_answer_is_as_described(app: Flask, wallet: Wallet) -> None:
    asking = Asking(app, wallet, examples=2)
    asking.everything()
    assert not asking.wrong, "\n\n".join(asking.wrong[:5])
    assert asking.never_accepted() <= {"connect", "publish_toast", "grant_credits"}


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_answer_is_as_described_thousands_of_times(app: Flask, wallet: Wallet) -> None:
    asking = Asking(app, wallet, examples=500)
    asking.everything()
    assert not asking.wrong, "\n\n".join(asking.wrong[:5])
    assert asking.never_accepted() == {"connect"}
