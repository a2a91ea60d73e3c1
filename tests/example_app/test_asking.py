"""What the service's ``/openapi.json`` says of it is so, in demo mode and with everything mounted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from example_app.factory import create_app
from example_app.settings import DEMO_SECRET
from tests.asking import Asking
from tests.matrix import Wallet

pytestmark = pytest.mark.plain


@pytest.fixture
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    chosen = {
        "TOASTKIT_DEMO": "1",
        "RATE_LIMITS": "0",
        "TOASTKIT_GATEWAY": "portable",
        "INSTANCE_PATH": str(tmp_path_factory.mktemp("instance")),
    }
    app = create_app(chosen)
    yield app
    app.extensions["toastkit"].kit.close()


@pytest.fixture
def wallet(app: Flask) -> Wallet:
    def jwt(user: str) -> str:
        signed = app.test_client().post("/demo/sign-in", json={"name": user})
        return str((signed.json or {})["jwt"])

    return Wallet(app.extensions["toastkit"].kit, DEMO_SECRET, jwt)


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
