from __future__ import annotations

import pytest
from flask import Flask, request

from toastkit_flask import ToastKit

BOOTSTRAP, TOASTS = "/v1/sessions/toast-bootstrap", "/v1/toasts"


def test_the_default_login_is_flask_logins(tmp_path):
    flask_login = pytest.importorskip("flask_login")
    app = Flask("host", instance_path=str(tmp_path))
    app.secret_key = "x"
    manager = flask_login.LoginManager(app)

    @manager.request_loader
    def load(_: object) -> object:
        user = flask_login.UserMixin()
        user.id = 7
        return user if "X-Logged-In" in request.headers else None

    ToastKit(app)
    client, own = app.test_client(), {"X-ToastKit": "1"}
    assert client.get(TOASTS, headers=own).status_code == 401
    answer = client.post(BOOTSTRAP, headers={**own, "X-Logged-In": "1"})
    assert answer.json["default_topics"] == ["user:7"]
    app.extensions["toastkit"].kit.close()
