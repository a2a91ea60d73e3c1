"""Signals in a Flask app: of the app, in a context of their own, whatever way a toast came."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, current_app, g, request
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Column, Integer, String

from tests.fakes import Client
from tests.flask.conftest import MakeApp
from tests.hearing import Heard
from tests.test_kit import eventually
from toastkit import publish_toast
from toastkit.signals import client_connected, client_disconnected, session_revoked, toast_published
from toastkit_flask import ToastKit
from toastkit_flask.testing import WebSocketClient

BODY = {"user_id": "ada", "topic": "user:ada", "toast": {"title": "Hello"}}


def test_what_came_over_http_is_told_once(
    app: Flask, client: FlaskClient, publisher: dict[str, str]
) -> None:
    heard = Heard(toast_published, app)
    answer = client.post("/v1/toasts/publish", json=BODY, headers=publisher).json
    assert answer is not None
    assert [each.id for each in heard.receipts] == [answer["id"]]
    assert heard.senders == [app]


def test_a_refused_publish_is_not_told(
    app: Flask, client: FlaskClient, publisher: dict[str, str]
) -> None:
    heard = Heard(toast_published, app)
    client.post("/v1/toasts/publish", json={"user_id": "ada"}, headers=publisher)
    client.post("/v1/toasts/publish", json=BODY)
    assert heard.told == []


def test_a_receiver_has_an_app_context_of_its_own_and_the_request(app: Flask) -> None:
    found: list[Any] = []

    def receiver(sender: Flask, **_: Any) -> None:
        found.append((sender, current_app._get_current_object(), request.path, g.get("own")))  # type: ignore[attr-defined]
        g.own = "the receiver's"
        publish_toast("bob", "An answer")

    toast_published.connect(receiver, app)

    @app.post("/order")
    def order() -> str:
        g.own = "the view's"
        publish_toast("ada", "Order placed")
        return str(g.own)

    assert app.test_client().post("/order").text == "the view's"
    assert found == [(app, app, "/order", None)]


def test_a_receiver_that_fails_fails_no_request(
    app: Flask, client: FlaskClient, publisher: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    def receiver(_: Flask, **__: Any) -> None:
        raise RuntimeError("the audit is away")

    toast_published.connect(receiver, app)
    answer = client.post("/v1/toasts/publish", json=BODY, headers=publisher)
    assert (answer.status_code, "the audit is away" in caplog.text) == (202, True)


def test_of_two_apps_each_has_its_own(make_app: Callable[..., Flask]) -> None:
    one, other = make_app(), make_app()
    heard = Heard(toast_published, one)
    with other.app_context():
        publish_toast("ada", "Hello")
    assert heard.told == []


def test_clients_come_and_go_in_the_apps_context(
    app: Flask, connect: Callable[[str], Client]
) -> None:
    told: list[str] = []

    def came(_: Flask, user_id: str, **__: Any) -> None:
        told.append(f"{user_id} came to {current_app.name}")

    def left(_: Flask, user_id: str, **__: Any) -> None:
        told.append(f"{user_id} left {current_app.name}")

    client_connected.connect(came, app)
    client_disconnected.connect(left, app)
    connection = connect("ada").connection
    app.extensions["toastkit"].kit.node.runtime.ask(connection.lost)
    eventually(lambda: len(told) == 2)
    assert told == [f"ada came to {app.name}", f"ada left {app.name}"]


def test_a_logout_is_told(app: Flask, client: FlaskClient) -> None:
    heard = Heard(session_revoked, app)
    token, _ = app.extensions["toastkit"].kit.sessions.mint("ada")
    answer = client.delete("/auth/session", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, heard.told) == (200, [{"user_id": "ada", "sessions": 1}])


def test_a_commit_in_a_receiver_commits_nothing_of_the_views(tmp_path: Path) -> None:
    db = SQLAlchemy()

    class Row(db.Model):  # type: ignore[name-defined,misc]
        id = Column(Integer, primary_key=True)
        text = Column(String(20))

    def receiver(_: Flask, **__: Any) -> None:
        db.session.add(Row(text="audit"))
        db.session.commit()

    app = Flask("shop", instance_path=str(tmp_path))
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path}/shop.db"
    db.init_app(app)
    toastkit = ToastKit(app, db=db)
    toast_published.connect(receiver, app)
    with app.app_context():
        db.create_all()
        publish_toast("ada", "Hello")
        db.session.add(Row(text="view"))
        publish_toast("ada", "Joined")
        db.session.rollback()
        assert [row.text for row in Row.query] == ["audit"]
        db.session.add(Row(text="view"))
        publish_toast("ada", "Joined")
        db.session.commit()
        assert [row.text for row in Row.query] == ["audit", "view", "audit"]
        toastkit.kit.close()


def test_a_websocket_comes_and_goes(app: Flask, client: FlaskClient, ada: dict[str, str]) -> None:
    came, left = Heard(client_connected, app), Heard(client_disconnected, app)
    with WebSocketClient(client, headers=ada, topics=["user:ada", "news"]):
        eventually(lambda: came.told)
        assert app.extensions["toastkit"].kit.node.online("ada") == 1
    eventually(lambda: left.told)
    assert came.told[0]["topics"] == ("user:ada", "news")
    assert came.told[0]["connection_id"] == left.told[0]["connection_id"]


@pytest.mark.plain
def test_a_stream_comes_and_goes(make_app: MakeApp, ada: dict[str, str]) -> None:
    app = make_app(gateway="portable")
    came, left = Heard(client_connected, app), Heard(client_disconnected, app)
    stream = app.test_client().get("/v1/toasts/stream", headers=ada)
    next(iter(stream.response))
    eventually(lambda: came.told)
    stream.close()
    app.extensions["toastkit"].kit.close()
    assert [each["user_id"] for each in (*came.told, *left.told)] == ["ada", "ada"]


def test_a_host_in_memory_tells_after_its_commit_and_nothing_after_a_rollback(
    tmp_path: Path,
) -> None:
    db = SQLAlchemy()

    class Order(db.Model):  # type: ignore[name-defined,misc]
        id = Column(Integer, primary_key=True)

    app = Flask("shop", instance_path=str(tmp_path))
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
    db.init_app(app)
    toastkit = ToastKit(app, db=db)
    heard = Heard(toast_published, app)
    with app.app_context():
        db.create_all()
        for end in db.session.rollback, db.session.commit:
            db.session.add(Order())
            publish_toast("ada", f"Before a {end.__name__}")
            assert heard.told == []
            end()
        eventually(lambda: heard.told)
        toastkit.kit.close()
    assert heard.titles == ["Before a commit"]
