from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request

from toastkit_flask import ToastKit

BOOTSTRAP, TOASTS = "/v1/sessions/toast-bootstrap", "/v1/toasts"
flask_login = pytest.importorskip("flask_login")


def app_of(user: Any, place: Path) -> Flask:
    app = Flask("host", instance_path=str(place))
    app.secret_key = "x"
    manager = flask_login.LoginManager(app)
    manager.request_loader(lambda _: user if "X-Logged-In" in request.headers else None)
    return app


def member(**attributes: Any) -> Any:
    user = flask_login.UserMixin()
    vars(user).update(attributes)
    return user


def test_the_default_login_is_flask_logins(tmp_path):
    app = app_of(member(id=7), tmp_path)
    ToastKit(app)
    client, own = app.test_client(), {"X-ToastKit": "1"}
    assert client.get(TOASTS, headers=own).status_code == 401
    answer = client.post(BOOTSTRAP, headers={**own, "X-Logged-In": "1"})
    assert answer.json["default_topics"] == ["user:7"]
    app.extensions["toastkit"].kit.close()


def bootstraps(app: Flask) -> Any:
    own = {"X-ToastKit": "1", "X-Logged-In": "1"}
    topics = [app.test_client().post(BOOTSTRAP, headers=own).json["default_topics"] for _ in "12"]
    app.extensions["toastkit"].kit.close()
    assert topics[0] == topics[1]
    return topics[0]


def test_whoever_is_known_to_flask_login_by_another_id_is_warned_about_once(tmp_path, caplog):
    # Flask-Security does it: whom a view publishes to by user.id would never be told.
    app = app_of(member(id=7, get_id=lambda: "a-token"), tmp_path)
    ToastKit(app)
    with caplog.at_level(logging.WARNING):
        assert bootstraps(app) == ["user:a-token"]
    assert caplog.text.count("@toastkit.user_loader") == 1
    assert "a-token" not in caplog.text


@pytest.mark.parametrize("user", [member(id=7), member(get_id=lambda: "ada")])
def test_whose_id_is_the_one_flask_login_knows_is_not(tmp_path, caplog, user):
    app = app_of(user, tmp_path)
    ToastKit(app)
    with caplog.at_level(logging.WARNING):
        bootstraps(app)
    assert not caplog.text


def test_neither_is_who_is_named_by_a_loader(tmp_path, caplog):
    app = app_of(member(id=7, get_id=lambda: "a-token"), tmp_path)
    current = flask_login.current_user
    ToastKit(app).user_loader(lambda: current.is_authenticated and current.id)
    with caplog.at_level(logging.WARNING):
        assert bootstraps(app) == ["user:7"]
    assert not caplog.text
