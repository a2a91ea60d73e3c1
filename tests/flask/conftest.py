"""An ordinary Flask app whose login is a header, and its client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from tests.fakes import Client, FakeFraming, FakeTransport
from tests.verifiers.forgeries import ISSUER, NOW, PARTY, jwk
from toastkit.dialects import ToastsDialect
from toastkit.records import Ticket
from toastkit.senders.contract import Sender
from toastkit.testing import ManualClock
from toastkit.verifiers import StaticVerifier
from toastkit_flask import ToastKit

MakeApp = Callable[..., Flask]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW * 1000)


@contextmanager
def making(folder: Path, clock: ManualClock) -> Iterator[MakeApp]:
    """Make apps with settings by field name; a publish secret is set, rates are not limited."""
    apps: list[Flask] = []
    keys = {"keys": [jwk()]}
    verifier = StaticVerifier(keys, clock, issuer=ISSUER, authorized_parties=[PARTY])

    def make(senders: Sequence[Sender] = (), **settings: Any) -> Flask:
        app = Flask(f"host{len(apps)}", instance_path=str(folder / f"instance{len(apps)}"))
        given = {"publish_secret": "secret", "rate_limits": False, **settings}
        app.config.update({f"TOASTKIT_{name.upper()}": value for name, value in given.items()})
        toastkit = ToastKit(app, verifiers=[verifier], senders=senders, clock=clock)
        toastkit.user_loader(lambda: request.headers.get("X-User"))
        apps.append(app)
        return app

    yield make
    for app in apps:
        app.extensions["toastkit"].kit.close()


@pytest.fixture
def make_app(tmp_path: Path, clock: ManualClock) -> Iterator[MakeApp]:
    with making(tmp_path, clock) as make:
        yield make


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def ada() -> dict[str, str]:
    """The headers of a page of the host's own, with ada logged in."""
    return {"X-ToastKit": "1", "X-User": "ada"}


@pytest.fixture
def publisher() -> dict[str, str]:
    return {"Authorization": "Bearer secret"}


@pytest.fixture
def connect(app: Flask) -> Callable[[str], Client]:
    """Connect a user's client on the app's own loop; it has read its greeting."""
    node = app.extensions["toastkit"].kit.node

    def connect(user_id: str) -> Client:
        topics = (f"user:{user_id}",)
        ticket = Ticket(
            token_hash="h",
            user_id=user_id,
            device_id="d",
            topics=topics,
            session_hash=None,
            expires_at=10**15,
        )
        connection = node.admit(ticket, ToastsDialect(FakeFraming()))
        client = Client(connection, FakeTransport(connection))
        client.transport.finish = client.transport.give_back  # type: ignore[method-assign]
        node.runtime.ask(lambda: connection.open(client.transport))
        client.news()
        return client

    return connect
