"""What ``/openapi.json`` says is so: every path is asked, with every kind of credential."""

from __future__ import annotations

from collections.abc import Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from schemathesis.checks import not_a_server_error

from tests.asking import Asking
from tests.flask.conftest import MakeApp, making
from tests.matrix import Wallet
from tests.verifiers.forgeries import NOW, token
from toastkit.identity import TicketRequest
from toastkit.testing import ManualClock
from toastkit_flask.ratelimits import RATES
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


def fill(app: Flask) -> Wallet:
    return Wallet(
        app.extensions["toastkit"].kit,
        "secret",
        jwt=lambda user: token(sub=user),
        login=lambda user: {"X-ToastKit": "1", "X-User": user},
    )


@pytest.fixture
def wallet(app: Flask) -> Wallet:
    return fill(app)


def test_every_answer_is_as_described(app: Flask, wallet: Wallet) -> None:
    asking = Asking(app, wallet, examples=4)
    asking.everything()
    assert not asking.wrong, "\n\n".join(asking.wrong[:5])
    assert asking.asked > 200
    assert asking.never_accepted() == {"connect"}  # only a socket is


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_answer_is_as_described_thousands_of_times(app: Flask, wallet: Wallet) -> None:
    asking = Asking(app, wallet, examples=500)
    asking.everything()
    assert not asking.wrong, "\n\n".join(asking.wrong[:5])
    assert asking.asked > 10_000


def test_every_429_is_as_described(make_app: MakeApp) -> None:
    rates = {f"{name}_rate": "1/minute" for name in RATES}
    app = make_app(gateway="portable", rate_limits=True, **rates)
    asking = Asking(app, fill(app), examples=1)
    for operation in asking.operations():
        if operation.label != "GET /v1/toasts/stream":  # the first of them would not end
            for _ in range(2):
                asking.ask(operation, asking.shown(operation), 1, good=False)
    assert not asking.wrong, "\n\n".join(asking.wrong[:5])
    limited = {
        each.definition.raw["operationId"]
        for each in asking.operations()
        if "429" in each.definition.raw["responses"]
    }
    assert {id for id, seen in asking.statuses.items() if 429 in seen} == limited - {
        "stream_toasts"
    }


def test_every_503_is_as_described(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("this is no database" * 100)
    database = f"sqlite:///{tmp_path}/text.db"
    app = make_app(gateway="portable", publish_secret="", database_url=database)
    kit = app.extensions["toastkit"].kit
    asking = Asking(app, Wallet(kit, "", jwt=lambda user: token(sub=user)), examples=1)
    asking.conforms.remove(not_a_server_error)
    for operation in asking.operations():
        asking.ask(operation, {"Authorization": "Bearer ms_sess_x"}, 1, good=False)
        if operation.label != "GET /v1/toasts/stream":  # it would wait for the database
            jwt = {"Authorization": f"Bearer {token(sub='ada')}"}
            asking.ask(operation, jwt, 1, good=False)
    assert not asking.wrong, "\n\n".join(asking.wrong[:5])
    down = {
        each.definition.raw["operationId"]
        for each in asking.operations()
        if "503" in each.definition.raw["responses"]
    }
    assert {id for id, seen in asking.statuses.items() if 503 in seen} == down


@pytest.mark.parametrize(
    "told", [({"status": "bad"}, 200), ({"status": "ok"}, 201), ("ok", 200), ({}, 500), ({}, 503)]
)
def test_what_is_not_as_described_is_found(app: Flask, wallet: Wallet, told: Any) -> None:
    view = app.view_functions["toastkit_health.ready"]
    app.view_functions["toastkit_health.ready"] = wraps(view)(lambda: told)
    asking = Asking(app, wallet, examples=1)
    asking.ask(asking.schema["/health"]["GET"], {}, 1, good=True)
    assert asking.wrong
