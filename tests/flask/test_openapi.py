"""``/openapi.json``: valid, whole, and only of what is mounted."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from msgspec import Struct, defstruct
from openapi_spec_validator import validate

from example_app.factory import create_app
from tests.flask.conftest import MakeApp
from toastkit_flask import ToastKit, described, session_required
from toastkit_flask.door import Door
from toastkit_flask.policies import Policy

pytestmark = pytest.mark.plain

ROOT = Path(__file__).parents[2]
OPERATIONS = {
    "begin_anonymous_session": "POST /auth/anonymous",
    "bootstrap": "POST /v1/sessions/toast-bootstrap",
    "close_session": "DELETE /auth/session",
    "close_sessions": "DELETE /auth/sessions",
    "connect": "GET /v1/realtime",
    "delete_toast": "DELETE /v1/toasts/{id}",
    "get_account": "GET /auth/bootstrap",
    "get_client": "GET /toastkit/toastkit.js",
    "get_health": "GET /health",
    "get_openapi": "GET /openapi.json",
    "list_devices": "GET /v1/devices",
    "list_toasts": "GET /v1/toasts",
    "mark_all_read": "POST /v1/toasts/read-all",
    "mark_read": "POST /v1/toasts/{id}/read",
    "mark_seen": "POST /v1/toasts/{id}/seen",
    "mark_unread": "POST /v1/toasts/{id}/unread",
    "open_session": "POST /auth/session",
    "publish_toast": "POST /v1/toasts/publish",
    "rebind": "POST /auth/rebind",
    "register_device": "POST /v1/devices/register-toast",
    "remove_device": "DELETE /v1/devices/{device_id}",
    "stream_toasts": "GET /v1/toasts/stream",
}
"""Generated clients call them so: an id that changes breaks programs."""
OF_THE_SERVICE = {
    "create_project": "POST /projects",
    "get_file": "GET /demo/static/{filename}",
    "get_keys": "GET /.well-known/jwks.json",
    "get_metrics": "GET /api/metrics/prometheus",
    "get_page": "GET /",
    "get_usage": "GET /v1/usage",
    "grant_credits": "POST /v1/admin/credits",
    "list_flags": "GET /v1/flags",
    "list_projects": "GET /projects",
    "list_pushes": "GET /demo/pushes",
    "set_flag": "POST /v1/admin/flags",
    "sign_in": "POST /demo/sign-in",
}


class Order(Struct):
    """What was ordered."""

    id: str


def told(app: Flask, path: str = "/openapi.json", **more: Any) -> Any:
    answer = app.test_client().get(path, **more)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    validate(answer.json)
    return answer.json


def operations(document: Any) -> dict[str, str]:
    found = [
        (operation["operationId"], f"{method.upper()} {path}")
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    assert len(dict(found)) == len(found), "two operations have one id"
    return dict(found)


def routes(app: Flask) -> set[str]:
    """Return what an app answers, but for other methods and what answers below /api again."""
    rules = [rule for rule in app.url_map.iter_rules() if ".other:" not in rule.endpoint]
    return {
        f"{method} {rule.rule}".replace("<path:", "{").replace("<", "{").replace(">", "}")
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not rule.rule.startswith("/api/v1/")
    }


def test_the_ids_are_kept(app: Flask) -> None:
    assert operations(told(app)) == OPERATIONS


def test_everything_that_is_mounted_is_there(app: Flask) -> None:
    assert routes(app) - {"GET /static/{filename}"} == set(OPERATIONS.values())


def test_everything_of_the_service_is_there(tmp_path: Path) -> None:
    app = create_app({"TOASTKIT_DEMO": "1", "INSTANCE_PATH": str(tmp_path)})
    found = operations(told(app))
    assert found == OPERATIONS | OF_THE_SERVICE
    assert set(found.values()) == routes(app)
    app.extensions["toastkit"].kit.close()


def test_what_is_not_mounted_is_not_there(make_app: MakeApp) -> None:
    found = told(make_app(surfaces="auth"))
    assert {path.split("/")[1] for path in found["paths"]} == {"auth", "health", "openapi.json"}
    assert "/api/v1" not in found["info"]["description"]
    assert "/auth/session" not in told(make_app(surfaces="toasts"))["paths"]


def test_a_prefix_is_part_of_every_path(make_app: MakeApp) -> None:
    found = told(make_app(url_prefix="/t"), "/t/openapi.json")
    assert all(path.startswith("/t/") for path in found["paths"])
    assert "/t/api/v1" in found["info"]["description"]


def test_the_server_is_where_the_app_is_mounted_for_this_request(app: Flask) -> None:
    assert told(app)["servers"] == [{"url": "/"}]
    assert told(app, base_url="http://localhost/below")["servers"] == [{"url": "/below"}]
    assert told(app)["servers"] == [{"url": "/"}]


def test_the_version_is_toastkits(app: Flask) -> None:
    assert told(app)["info"]["version"] == metadata.version("toastkit")


def test_a_path_that_is_not_described_is_none() -> None:
    with pytest.raises(KeyError, match="operation"):
        Door("d").get("/anything", policy=Policy.OPEN)(lambda: "")


def test_every_operation_has_words_and_every_refusal_its_codes(app: Flask) -> None:
    document = told(app)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["summary"], path
            assert not any(mark in str(operation) for mark in ("``", "(A", "(B", "Raises"))
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    schema = answer["content"]["application/json"]["schema"]
                    assert schema["properties"]["code"]["enum"], (path, status)


def test_what_is_counted_says_so_unless_nothing_is(make_app: MakeApp) -> None:
    def publish(app: Flask) -> Any:
        return told(app)["paths"]["/v1/toasts/publish"]["post"]

    counted = publish(make_app(rate_limits=True))
    assert "At most 120/minute" in counted["description"]
    assert "Retry-After" in counted["responses"]["429"]["headers"]
    assert "429" not in publish(make_app(rate_limits=False))["responses"]


def test_only_a_way_in_that_there_is_is_named(tmp_path: Path, app: Flask) -> None:
    def ways(app: Flask) -> set[str]:
        security = told(app)["paths"]["/v1/toasts"]["get"]["security"]
        return {name for each in security for name in each}

    assert ways(app) == {"session", "provider", "login", "own_page"}
    bare = Flask("bare", instance_path=str(tmp_path))
    ToastKit(bare)
    assert ways(bare) == {"session"}
    bare.extensions["toastkit"].kit.close()


def test_every_other_method_of_a_path_is_405_with_those_it_has(app: Flask) -> None:
    client = app.test_client()
    for path, methods in told(app)["paths"].items():
        has = {method.upper() for method in methods}
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - has:
            answer = client.open(path.replace("{", "").replace("}", ""), method=method)
            assert (answer.status_code, answer.json["code"]) == (405, "method_not_allowed"), path
            assert set(answer.headers["Allow"].split(", ")) - {"HEAD", "OPTIONS"} == has


def test_a_view_of_the_host_is_there_once_it_is_described(make_app: MakeApp) -> None:
    app = make_app()

    @app.get("/orders")
    @session_required
    @described("list_orders", list[Order])
    def orders() -> list[Any]:
        """List orders."""
        return []

    @app.get("/orders/<int:id>")
    @described("get_order", Order, codes={404: ("no_order",)}, path={"id": int})
    @session_required
    def order(id: int) -> dict[str, str]:
        return {"id": str(id)}

    app.get("/secret")(lambda: "not described")
    paths = told(app)["paths"]
    assert {"/orders", "/orders/{id}"} < set(paths)
    assert "/secret" not in paths
    listed, found = paths["/orders"]["get"], paths["/orders/{id}"]["get"]
    assert listed["summary"] == "List orders"
    assert listed["security"] == found["security"] != []
    assert set(found["responses"]) == {"200", "401", "403", "404", "503"}


def test_a_part_of_a_path_need_not_be_described(make_app: MakeApp) -> None:
    app = make_app()
    app.get("/orders/<int:id>/<name>")(described("get_part", Order)(lambda: ""))
    found = told(app)["paths"]["/orders/{id}/{name}"]["get"]["parameters"]
    kinds = {each["name"]: each["schema"]["type"] for each in found}
    assert kinds == {"id": "integer", "name": "string"}


def test_two_structs_may_have_one_name(make_app: MakeApp) -> None:
    app = make_app()
    other = defstruct("Order", [("title", str, "")], module="elsewhere")
    app.get("/a", endpoint="a")(described("get_a", Order)(lambda: ""))
    app.get("/b", endpoint="b")(described("get_b", other)(lambda: ""))
    schemas = told(app)["components"]["schemas"]
    orders = {name: schema for name, schema in schemas.items() if name.endswith("Order")}
    assert [each["required"] for each in orders.values()] in (
        [["id"], ["title"]],
        [["title"], ["id"]],
    )


@pytest.mark.parametrize("first", [True, False])
def test_the_apps_own_document_wins(tmp_path: Path, first: bool) -> None:
    app = Flask("host", instance_path=str(tmp_path))
    if first:
        app.add_url_rule("/openapi.json", "mine", lambda: "mine")
    toastkit = ToastKit(app)
    if not first:
        app.add_url_rule("/openapi.json", "mine", lambda: "mine")
    assert app.test_client().get("/openapi.json").text == "mine"
    with app.app_context():
        toastkit.kit.close()


def test_the_apps_own_health_is_not_described_as_ours(make_app: MakeApp) -> None:
    app = make_app()
    app.add_url_rule("/health", "mine", lambda: "mine")
    assert "/health" not in told(app)["paths"]


def test_it_is_made_once_and_not_before_somebody_asks(tmp_path: Path) -> None:
    code = """
import os, sys
from flask import Flask
from toastkit_flask import ToastKit
app = Flask("host", instance_path=os.getcwd())
toastkit = ToastKit(app)
client = app.test_client()
client.get("/health")
assert "toastkit_flask.openapi" not in sys.modules
first = client.get("/openapi.json").data
import toastkit_flask.openapi
toastkit_flask.openapi.document = None
assert client.get("/openapi.json").data == first
with app.app_context():
    toastkit.kit.close()
"""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environ, check=True, timeout=50)


def test_an_answer_has_every_field_it_always_has(app: Flask) -> None:
    schemas = told(app)["components"]["schemas"]
    assert "reason" in schemas["Receipt"]["required"]
    assert schemas["SessionOpened"]["required"] == ["token", "expires_in"]


def test_data_of_the_publishers_own_is_open_to_generators(app: Flask) -> None:
    data = told(app)["components"]["schemas"]["Toast"]["properties"]["data"]
    assert {"type": "object", "additionalProperties": True} in data["anyOf"]
