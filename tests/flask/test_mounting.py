from __future__ import annotations

import logging

import pytest
from flask import Blueprint, Flask, abort, request, url_for

from toastkit import ConfigError
from toastkit_flask import ToastKit

DOCUMENTED = [
    ("POST", "/v1/sessions/toast-bootstrap"),
    ("POST", "/v1/devices/register-toast"),
    ("POST", "/v1/toasts/publish"),
    ("GET", "/v1/toasts"),
    ("GET", "/v1/realtime"),
]


def paths(app: Flask) -> set[str]:
    return {rule.rule for rule in app.url_map.iter_rules()} - {"/static/<path:filename>"}


@pytest.mark.parametrize("base", ["", "/api"])
@pytest.mark.parametrize(("method", "path"), DOCUMENTED)
def test_v1_answers_below_api_too(client, base, method, path):
    assert client.open(base + path, method=method).status_code in (401, 426)


def test_the_auth_surface_and_health_stand_once(app):
    assert {"/auth/session", "/health"} <= paths(app)
    assert not {"/api/auth/session", "/api/health"} & paths(app)


def test_apiflask_may_ask_whether_it_describes_our_paths(app):
    # It asks each blueprint that looks first who asks, for its own /openapi.json, and never us.
    assert {door.enable_openapi for door in app.blueprints.values()} == {False}
    ours = [rule.endpoint for rule in app.url_map.iter_rules() if rule.endpoint != "static"]
    assert {endpoint.rpartition(".")[0] for endpoint in ours} <= set(app.blueprints)


def test_a_surface_may_be_left_out(make_app):
    auth = paths(make_app(surfaces="auth"))
    assert {"/auth/session", "/auth/bootstrap", "/health"} <= auth
    assert {path.split("/")[1] for path in auth} == {"auth", "health", "openapi.json"}
    assert "/auth/session" not in paths(make_app(surfaces="toasts"))


def test_an_unknown_surface_is_refused_with_the_known_ones(make_app):
    with pytest.raises(ConfigError, match="there are toasts, auth"):
        make_app(surfaces="toasts,relay")


def test_a_prefix_is_put_before_everything(make_app):
    assert all(path.startswith("/t/") for path in paths(make_app(url_prefix="/t")))


@pytest.mark.parametrize("prefix", ["t", "/t/", "/"])
def test_a_prefix_that_is_none_is_refused(make_app, prefix):
    with pytest.raises(ConfigError, match="url_prefix"):
        make_app(url_prefix=prefix)


def test_a_path_the_app_has_already_is_reported_with_the_cure(tmp_path):
    app = Flask("host", instance_path=str(tmp_path))
    app.add_url_rule("/v1/toasts", "mine", lambda: "ok")
    with pytest.raises(ConfigError) as caught:
        ToastKit(app)
    assert "GET HEAD /v1/toasts" in str(caught.value)
    assert "(mine)" in str(caught.value)
    assert "TOASTKIT_URL_PREFIX" in str(caught.value)
    assert str(caught.value).endswith("TOASTKIT_SURFACES=auth")


def test_a_path_the_app_takes_later_is_reported_at_the_first_request(make_app, caplog):
    app = make_app()
    app.add_url_rule("/v1/toasts", "mine", lambda: "never reached")
    with caplog.at_level(logging.ERROR):
        app.test_client().get("/health")
        app.test_client().get("/health")
    assert caplog.text.count("/v1/toasts is a path of toastkit and of this app (mine)") == 1


def test_the_apps_own_health_wins_if_it_was_there_first(tmp_path):
    app = Flask("host", instance_path=str(tmp_path))
    app.add_url_rule("/health", "mine", lambda: "mine")
    ToastKit(app)
    assert app.test_client().get("/health").text == "mine"


def test_the_apps_own_health_wins_if_it_came_later(make_app, caplog):
    app = make_app()
    app.add_url_rule("/health", "mine", lambda: "mine")
    app.add_url_rule("/health", "posted", lambda: "posted", methods=["POST"])
    client = app.test_client()
    assert client.get("/health").text == "mine"
    assert client.post("/health").text == "posted"
    assert client.delete("/health").status_code == 405
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("path", ["/health", "/openapi.json"])
def test_what_the_app_has_look_first_who_asks_looks_at_its_own_page_too(make_app, path):
    app, staff = make_app(), Blueprint("staff", "staff")
    seen = []

    @app.before_request
    def wall():
        seen.append(request.endpoint)

    @staff.before_request
    def guard():
        if "X-Staff" not in request.headers:
            abort(403)

    staff.add_url_rule(path, "mine", lambda: "mine")
    app.register_blueprint(staff)
    client = app.test_client()
    for _ in range(2):  # the first request settles what gives way
        assert client.get(path).status_code == client.options(path).status_code == 403
    assert client.get(path, headers={"X-Staff": "1"}).text == "mine"
    assert set(seen) == {"staff.mine"}


def test_the_apps_own_page_may_have_defaults(make_app):
    app = make_app()
    app.add_url_rule("/health", "mine", lambda of: f"mine of {of}", defaults={"of": "ada"})
    assert app.test_client().get("/health").text == "mine of ada"


def test_one_hosts_own_health_is_not_that_of_another(tmp_path):
    app = Flask("host", instance_path=str(tmp_path), host_matching=True, static_host="a.example")
    ToastKit(app)
    app.add_url_rule("/health", "mine", lambda: "mine", host="a.example")
    client = app.test_client()
    assert client.get("/health", base_url="http://a.example").text == "mine"
    assert client.get("/health", base_url="http://b.example").is_json


def test_another_method_of_a_path_is_left_to_the_app_that_came_first(tmp_path):
    app = Flask("host", instance_path=str(tmp_path))
    app.add_url_rule("/auth/session", "mine", lambda: "who I am")
    ToastKit(app)
    assert app.test_client().get("/auth/session").text == "who I am"
    assert app.test_client().post("/auth/session").status_code == 401


def test_the_hosts_csrf_protection_lets_our_paths_through_and_no_other(make_app, ada):
    csrf = pytest.importorskip("flask_wtf.csrf")
    app = make_app()
    app.secret_key = "x"
    app.add_url_rule("/mine", "mine", lambda: "ok", methods=["POST"])
    csrf.CSRFProtect(app)
    client = app.test_client()
    assert client.post("/v1/sessions/toast-bootstrap", headers=ada).status_code == 200
    assert client.post("/api/v1/sessions/toast-bootstrap", headers=ada).status_code == 200
    assert client.delete("/auth/session").status_code == 401
    assert client.post("/mine").status_code == 400


def test_an_app_that_matches_hosts_has_toastkit_on_each_of_them(tmp_path, ada):
    app = Flask("host", instance_path=str(tmp_path), host_matching=True, static_host="a.example")
    ToastKit(app).user_loader(lambda: "ada")
    app.add_url_rule("/mine", "mine", lambda: "mine", host="a.example")
    app.add_url_rule(
        "/script", "script", lambda: url_for("toastkit_client.script"), host="a.example"
    )
    for name in ("a.example", "b.example:8000"):
        client = app.test_client()
        base = {"base_url": f"http://{name}", "headers": ada}
        answer = client.post("/v1/sessions/toast-bootstrap", **base)
        assert answer.json["ws_url"].startswith(f"ws://{name}/api/v1/realtime?")
        assert client.put("/v1/toasts", **base).status_code == 405
        assert client.delete("/v1/devices/phone", **base).status_code == 404
    assert app.test_client().get("/mine", base_url="http://a.example").text == "mine"
    assert app.test_client().get("/mine", base_url="http://b.example").status_code == 404
    script = app.test_client().get("/script", base_url="http://a.example").text
    assert script == "/toastkit/toastkit.js"
    app.extensions["toastkit"].kit.close()


def test_toastkit_answers_at_the_name_of_the_server(make_app, ada):
    app = make_app(public_url="")
    app.config["SERVER_NAME"] = "example.com"
    client = app.test_client()
    answer = client.post("/v1/sessions/toast-bootstrap", headers=ada)
    assert answer.json["ws_url"].startswith("ws://example.com/api/v1/realtime?")
