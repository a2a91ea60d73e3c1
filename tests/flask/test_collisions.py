"""A path that is both the host's and toastkit's is reported, however it is spelled; others are not."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, Flask

from toastkit import ConfigError
from toastkit_flask import ToastKit

REMEDY = "TOASTKIT_URL_PREFIX.*TOASTKIT_SURFACES"


@pytest.fixture
def host(tmp_path: Path) -> Any:
    """Make hosts; whichever have a kit give it back."""
    made: list[Flask] = []

    def make(**options: Any) -> Flask:
        made.append(Flask("host", instance_path=str(tmp_path), root_path=str(tmp_path), **options))
        return made[-1]

    yield make
    for app in made:
        if "toastkit" in app.extensions:
            app.extensions["toastkit"].kit.close()


def later(app: Flask, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Ask for something, and return what the first request reports."""
    with caplog.at_level(logging.ERROR):
        app.test_client().get("/nowhere")
    return [each.message for each in caplog.records if "is a path of toastkit" in each.message]


@pytest.mark.parametrize("rule", ["/v1/toasts/<toast>", "/v1/toasts/<string:toast>"])
def test_the_names_of_the_arguments_do_not_hide_it(host: Any, rule: str) -> None:
    app = host()
    app.add_url_rule(rule, "theirs", lambda **_: "theirs", methods=["DELETE"])
    with pytest.raises(ConfigError, match=REMEDY):
        ToastKit(app)


def test_neither_do_they_later(host: Any, caplog: pytest.LogCaptureFixture) -> None:
    app = host()
    ToastKit(app)
    app.add_url_rule("/v1/toasts/<toast>", "theirs", lambda **_: "theirs", methods=["DELETE"])
    [told] = later(app, caplog)
    assert "DELETE /v1/toasts/<id>" in told
    assert "(theirs)" in told


def test_a_path_of_a_blueprint_is_reported(host: Any) -> None:
    app, api = host(), Blueprint("api", "api", url_prefix="/v1")
    api.add_url_rule("/toasts", "list", lambda: "theirs")
    app.register_blueprint(api)
    with pytest.raises(ConfigError, match=r"\(api\.list\)"):
        ToastKit(app)


def test_a_rule_for_everything_else_is_none(host: Any, caplog: pytest.LogCaptureFixture) -> None:
    app = host()
    app.add_url_rule("/<path:page>", "page", lambda page: f"page {page}")
    ToastKit(app)
    client = app.test_client()
    assert client.get("/v1/toasts").status_code == 401
    assert client.get("/v1/other").text == "page v1/other"
    assert later(app, caplog) == []


def test_static_files_beside_are_none(host: Any, tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "shop.js").write_text("theirs")
    app = host(static_url_path="/toastkit")
    ToastKit(app)
    client = app.test_client()
    with client.get("/toastkit/shop.js") as theirs, client.get("/toastkit/toastkit.js") as ours:
        assert theirs.text == "theirs"
        assert "toastkit" in ours.text


@pytest.mark.parametrize(
    ("below", "name"),
    # One that is read, and one that is posted to: all its other methods are toastkit's, too.
    [("/toastkit", "toastkit.js"), ("/v1/toasts", "publish")],
)
def test_a_static_file_that_toastkit_would_hide_is_reported(
    host: Any, tmp_path: Path, below: str, name: str
) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / name).write_text("theirs")
    with pytest.raises(ConfigError, match=rf"GET {below}/{name} .*\(static\)"):
        ToastKit(host(static_url_path=below))


def test_a_static_file_of_a_blueprint_is_reported(host: Any, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "toastkit.js").write_text("theirs")
    app = host()
    app.register_blueprint(
        Blueprint("files", "files", root_path=str(tmp_path), static_folder="files"),
        url_prefix="/toastkit",
    )
    app.add_url_rule("/never", "never", lambda: "")
    files = Blueprint("more", "more", root_path=str(tmp_path), static_folder="files")
    files.static_url_path = "/"
    app.register_blueprint(files, url_prefix="/toastkit")
    with pytest.raises(ConfigError, match=r"toastkit\.js .*\(more\.static\)"):
        ToastKit(app)


def test_a_websocket_of_the_hosts_collides_with_a_websocket_alone(host: Any) -> None:
    app = host()
    app.add_url_rule("/v1/toasts", "feed", lambda: "theirs", websocket=True)
    ToastKit(app)
    other = host()
    other.add_url_rule("/v1/realtime", "feed", lambda: "theirs", websocket=True)
    with pytest.raises(ConfigError, match=REMEDY):
        ToastKit(other)


def test_a_path_of_another_subdomain_is_none(host: Any, caplog: pytest.LogCaptureFixture) -> None:
    app = host(subdomain_matching=True)
    app.config["SERVER_NAME"] = "example.com"
    app.add_url_rule("/v1/toasts", "theirs", lambda: "theirs", subdomain="api")
    ToastKit(app)
    client = app.test_client()
    assert client.get("/v1/toasts", base_url="http://api.example.com").text == "theirs"
    assert client.get("/v1/toasts", base_url="http://example.com").status_code == 401
    assert later(app, caplog) == []


def test_a_path_of_one_of_several_hosts_is_reported(host: Any) -> None:
    app = host(host_matching=True, static_host="a.example")
    app.add_url_rule("/v1/toasts", "theirs", lambda: "theirs", host="a.example")
    with pytest.raises(ConfigError, match=REMEDY):
        ToastKit(app)


def test_a_surface_that_is_left_out_collides_with_nothing(
    host: Any, caplog: pytest.LogCaptureFixture
) -> None:
    app = host()
    app.config["TOASTKIT_SURFACES"] = "toasts"
    app.add_url_rule("/auth/session", "theirs", lambda: "theirs", methods=["POST"])
    ToastKit(app)
    assert app.test_client().post("/auth/session").text == "theirs"
    assert later(app, caplog) == []


def test_a_prefix_ends_the_collision(host: Any, caplog: pytest.LogCaptureFixture) -> None:
    app = host()
    app.config["TOASTKIT_URL_PREFIX"] = "/toasts"
    app.add_url_rule("/v1/toasts", "theirs", lambda: "theirs")
    ToastKit(app)
    client = app.test_client()
    assert client.get("/v1/toasts").text == "theirs"
    assert client.get("/toasts/v1/toasts").status_code == 401
    assert later(app, caplog) == []


@pytest.mark.parametrize("order", ["before", "after"])
def test_csrf_protection_may_be_set_up_before_or_after(host: Any, order: str) -> None:
    csrf = pytest.importorskip("flask_wtf.csrf")
    app = host()
    app.secret_key = "x"
    app.add_url_rule("/mine", "mine", lambda: "ok", methods=["POST"])
    if order == "before":
        csrf.CSRFProtect(app)
    ToastKit(app).user_loader(lambda: "ada")
    if order == "after":
        csrf.CSRFProtect(app)
    client = app.test_client()
    own = {"X-ToastKit": "1"}
    assert client.post("/v1/sessions/toast-bootstrap", headers=own).status_code == 200
    assert client.post("/mine", headers=own).status_code == 400
