"""A host whose toasts join its transactions, and whose tests take theirs back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from toastkit import publish_toast
from toastkit.testing import Toasts
from toastkit_flask import ToastKit


@pytest.fixture
def db() -> Any:
    return SQLAlchemy()


@pytest.fixture
def order(db: Any) -> Any:
    class Order(db.Model):
        id = db.Column(db.Integer, primary_key=True)

    return Order


@pytest.fixture(params=["file", "memory"])
def app(request: pytest.FixtureRequest, tmp_path: Path, db: Any, order: Any) -> Iterator[Flask]:
    app = Flask("shop")
    uri = f"sqlite:///{tmp_path}/shop.db" if request.param == "file" else "sqlite://"
    app.config.update(TESTING=True, SQLALCHEMY_DATABASE_URI=uri)
    db.init_app(app)
    ToastKit(app, db=db).user_loader(lambda: "ada")

    @app.post("/orders")
    def buy() -> dict[str, str]:
        db.session.add(order())
        status = publish_toast("ada", "Order placed").status
        db.session.commit()
        return {"status": status}

    with app.app_context():
        db.create_all()
    yield app
    app.extensions["toastkit"].kit.close()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def taken_back(app: Flask, db: Any) -> Iterator[None]:
    """Run a test in a transaction that is rolled back, as Flask-SQLAlchemy's users do."""
    with app.app_context():
        engines = db.engines
        engine = engines[None]
        with engine.connect() as connection:
            transaction = connection.begin()
            engines[None] = connection
            yield
            db.session.remove()
            if transaction.is_active:
                transaction.rollback()
        engines[None] = engine


def test_what_joined_a_transaction_is_there_when_that_is_committed(
    app: Flask, toasts: Toasts
) -> None:
    page = toasts.online("ada")
    assert app.test_client().post("/orders").json == {"status": "queued"}
    assert toasts.to("ada").titles == page.titles == ["Order placed"]
    assert toasts.to("ada").receipts[0].transport == "websocket"
    toasts.offline("ada")
    app.test_client().post("/orders")
    assert toasts.pushed.titles == ["Order placed"]


def test_what_is_rolled_back_was_never_published(
    app: Flask, db: Any, order: Any, toasts: Toasts
) -> None:
    with app.app_context():
        db.session.add(order())
        publish_toast("ada", "Order placed")
        assert toasts.all == []
        db.session.rollback()
    assert toasts.all == []


def test_a_commit_within_a_transaction_that_is_taken_back_counts(
    app: Flask, taken_back: None, toasts: Toasts
) -> None:
    assert app.test_client().post("/orders").json == {"status": "queued"}
    assert toasts.to("ada").titles == ["Order placed"]
    assert toasts.to("ada").receipts[0].status == "queued"
    assert toasts.pushed == []  # nobody but this test can see it


@pytest.mark.parametrize("app", ["file"], indirect=True)
def test_what_is_rolled_back_within_it_does_not(
    app: Flask, db: Any, order: Any, taken_back: None, toasts: Toasts
) -> None:
    db.session.add(order())
    publish_toast("ada", "kept")
    with db.session.begin_nested() as nested:
        publish_toast("ada", "discarded")
        nested.rollback()
    assert toasts.all == []
    db.session.commit()
    assert toasts.all.titles == ["kept"]
    db.session.add(order())
    publish_toast("ada", "never")
    db.session.rollback()
    assert toasts.all.titles == ["kept"]


def test_the_end_of_a_savepoint_is_no_commit(
    app: Flask, db: Any, order: Any, taken_back: None, toasts: Toasts
) -> None:
    db.session.add(order())
    with db.session.begin_nested():
        publish_toast("ada", "Hello")
    assert toasts.all == []
    db.session.commit()
    assert toasts.all.titles == ["Hello"]
