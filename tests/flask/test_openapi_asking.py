"""What ``/openapi.json`` says is so: every path is asked, with every kind of credential."""

from __future__ import annotations

from collections.abc import Iterator
from functools import wraps
from typing import Any

import pytest
from flask import Flask

from tests.asking import Asking
from tests.flask.conftest import making
from tests.matrix import Wallet
from tests.verifiers.forgeries import NOW, token
from toastkit.identity import TicketRequest
from toastkit.testing import ManualClock
from toastkit_flask.views.stream import DIALECT

pytestmark = pytest.mark.plain


@pytest.fixture
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with making(tmp_path_factory.mktemp("host"), ManualClock(NOW * 1000)) as make:
        # One stays, so that every stream ends with its first line: there is room for no other.
        app = make(gateway="portable", connections=1)
        kit = app.extensions["toastkit"].kit
        ticket = kit.identity.tickets.grant(TicketRequest("ada", "d", ("user:ada",)), None)
        connection = kit.node.admit(ticket, DIALECT)
        yield app
        kit.node.runtime.ask(connection.lost)


@pytest.fixture
def wallet(app: Flask) -> Wallet:
    return Wallet(
        app.extensions["toastkit"].kit,
        "secret",
        jwt=lambda user: token(sub=user),
        login=lambda user: {"X-ToastKit": "1", "X-User": user},
    )


def test_every_answer_is_as_described(app: Flask, wallet: Wallet) -> None:
    asking = Asking(app, wallet, examples=4)
    asking.everything()
    assert not asking.wrong, "\n\n".join(asking.wrong[:5])
    assert asking.asked > 300
    assert asking.never_accepted() == {"connect"}  # only a socket is


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_answer_is_as_described_thousands_of_times(app: Flask, wallet: Wallet) -> None:
    asking = Asking(app, wallet, examples=500)
    asking.everything()
    assert not asking.wrong, "\n\n".join(asking.wrong[:5])
    assert asking.asked > 10_000


@pytest.mark.parametrize(
    "told", [({"status": "bad"}, 200), ({"status": "ok"}, 201), ("ok", 200), ({}, 500), ({}, 503)]
)
def test_what_is_not_as_described_is_found(app: Flask, wallet: Wallet, told: Any) -> None:
    view = app.view_functions["toastkit_health.ready"]
    app.view_functions["toastkit_health.ready"] = wraps(view)(lambda: told)
    asking = Asking(app, wallet, examples=1)
    asking.ask(asking.schema["/health"]["GET"], {}, 1, good=True)
    assert asking.wrong
