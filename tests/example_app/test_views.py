"""The service's own doors: rows of a user's own, and the acts that tell controls."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from example_app.settings import DEMO_SECRET
from example_app.views import CONTROLS
from toastkit import Kit, StorageUnavailable
from toastkit.testing import Toasts

VISITOR = "anon:6f9619ff-8b86-4011-b42d-00cf4fc964ff"
SECRET = {"Authorization": f"Bearer {DEMO_SECRET}"}


@pytest.fixture
def kit(app: Flask) -> Kit:
    kit: Kit = app.extensions["toastkit"].kit
    return kit


@pytest.fixture
def bearer(kit: Kit) -> Callable[[str], dict[str, str]]:
    return lambda user: {"Authorization": f"Bearer {kit.sessions.mint(user)[0]}"}


@pytest.mark.parametrize("user", ["maker", VISITOR])
def test_a_project_is_made_and_told_to_its_user_anonymous_or_not(
    client: FlaskClient, bearer: Any, toasts: Toasts, user: str
) -> None:
    page = toasts.online(user)
    answer = client.post("/projects", json={"name": " Tracker "}, headers=bearer(user))
    assert answer.status_code == 201
    assert answer.json is not None
    assert answer.json["name"] == "Tracker"
    assert [frame["type"] for frame in page.frames] == ["connection_ack", "toast", "control"]
    [toast] = toasts.all
    assert (toast.user_id, toast.title, toast.body) == (user, "Project created", "Tracker")
    assert (toast.topic, toasts.controls.kinds) == (f"user:{user}", ["usage.changed"])
    listed = client.get("/projects", headers=bearer(user))
    assert listed.json == {"items": [answer.json]}
    assert listed.headers["Cache-Control"] == "no-store"
    assert client.get("/projects", headers=bearer("somebody")).json == {"items": []}


def test_usage_and_bootstrap_tell_the_same_credits(client: FlaskClient, bearer: Any) -> None:
    headers = bearer("counter")
    client.post("/projects", json={"name": "p"}, headers=headers)
    usage = client.get("/v1/usage", headers=headers).json
    assert usage == {"plan": "free", "credits_used": 1, "credits_total": 20}
    bootstrap = client.get("/auth/bootstrap", headers=headers).json
    assert bootstrap == {
        "profile": {"name": None, "email": None, **usage},
        "subscription": usage,
        "secrets": {"has_github_pat": False, "has_anthropic_key": False},
    }


def test_B6_signing_in_makes_the_profile(client: FlaskClient) -> None:
    signed = client.post("/demo/sign-in", json={"name": "newcomer"}).json
    assert signed is not None
    jwt = {"Authorization": f"Bearer {signed['jwt']}"}
    opened = client.post("/auth/session", headers=jwt).json
    assert opened is not None
    headers = {"Authorization": f"Bearer {opened['token']}"}
    told = client.get("/auth/bootstrap", headers=headers).json
    assert told is not None
    assert told["profile"]["plan"] == "free"


def test_without_credits_a_project_is_402(client: FlaskClient, bearer: Any) -> None:
    headers = bearer("spender")

    def make() -> TestResponse:
        return client.post("/projects", json={"name": "p"}, headers=headers)

    assert [make().status_code for _ in range(20)] == [201] * 20
    refused = make()
    assert refused.status_code == 402
    assert refused.json == {
        "detail": "no_credits_left",
        "code": "no_credits_left",
        "message": "all 20 credits have been used",
    }
    given = {"user_id": "spender", "credits": 1}
    assert client.post("/v1/admin/credits", json=given, headers=SECRET).status_code == 200
    assert make().status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "  "},
        {"name": "x" * 201},
        {"name": "a\x00b"},
        {"name": "\x1fa"},
        {"name": 7},
        [],
    ],
)
def test_what_is_no_project_is_422_and_costs_nothing(
    client: FlaskClient, bearer: Any, body: Any
) -> None:
    headers = bearer("careless")
    answer = client.post("/projects", json=body, headers=headers)
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["detail"]
    usage = client.get("/v1/usage", headers=headers).json
    assert usage is not None
    assert usage["credits_used"] == 0


def test_a_body_that_is_no_text_is_422(client: FlaskClient, bearer: Any) -> None:
    for raw in (b"", b"{", b'{"name": "\xff"}', b'{"name": "\\ud800"}'):
        answer = client.post("/projects", data=raw, headers=bearer("careless"))
        assert answer.status_code == 422


def test_a_toast_that_cannot_be_kept_takes_no_project_back(
    client: FlaskClient, bearer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageUnavailable("the disk is full; nothing was kept")

    monkeypatch.setattr("example_app.views.publish_toast", full)
    headers = bearer("unlucky")
    assert client.post("/projects", json={"name": "p"}, headers=headers).status_code == 201
    listed = client.get("/projects", headers=headers).json
    assert listed is not None
    assert len(listed["items"]) == 1


# ---- acts of an operator


def test_A27_a_grant_is_told_to_its_user_alone(
    client: FlaskClient, bearer: Any, toasts: Toasts
) -> None:
    lucky, other = toasts.online("lucky"), toasts.online("other")
    body = {"user_id": "lucky", "credits": 5, "grant_id": "evt_1"}
    for _ in range(2):
        answer = client.post("/v1/admin/credits", json=body, headers=SECRET)
        assert answer.json == {"plan": "free", "credits_used": 0, "credits_total": 25}
    assert [told["kind"] for told in lucky.controls] == ["usage.changed"], "twice is once"
    assert other.controls == []
    usage = client.get("/v1/usage", headers=bearer("lucky")).json
    assert usage == {"plan": "free", "credits_used": 0, "credits_total": 25}


def test_A27_a_flag_is_told_to_everybody(client: FlaskClient, bearer: Any, toasts: Toasts) -> None:
    pages = [toasts.online("one"), toasts.online(VISITOR)]
    body = {"name": "new_editor", "enabled": True}
    assert client.post("/v1/admin/flags", json=body, headers=SECRET).status_code == 200
    assert [page.controls[0]["kind"] for page in pages] == ["flags.changed"] * 2
    flags = client.get("/v1/flags", headers=bearer(VISITOR)).json
    assert flags is not None
    assert flags["flags"]["new_editor"] is True


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("credits", {"user_id": "a", "credits": 0}),
        ("credits", {"user_id": "a", "credits": 10**9}),
        ("credits", {"user_id": "a", "credits": 1.5}),
        ("credits", {"user_id": "a b", "credits": 1}),
        ("credits", {"user_id": "anon", "credits": 1}),
        ("credits", {"credits": 1}),
        ("credits", {"user_id": "a", "credits": 1, "grant_id": ""}),
        ("credits", {"user_id": "a", "credits": 1, "grant_id": "a\x00b"}),
        ("flags", {"name": "New", "enabled": True}),
        ("flags", {"name": "x" * 51, "enabled": True}),
        ("flags", {"name": "new\n", "enabled": True}),
        ("flags", {"name": "new", "enabled": 1}),
        ("flags", {"name": "new"}),
    ],
)
def test_what_an_operator_gets_wrong_is_422_and_told_to_nobody(
    client: FlaskClient, toasts: Toasts, path: str, body: Any
) -> None:
    answer = client.post(f"/v1/admin/{path}", json=body, headers=SECRET)
    assert answer.status_code == 422, json.dumps(answer.json)
    assert toasts.controls == []


@pytest.mark.parametrize("path", ["/v1/admin/credits", "/v1/admin/flags"])
def test_only_the_bearer_of_the_publish_secret_is_an_operator(
    client: FlaskClient, bearer: Any, path: str
) -> None:
    for headers in ({}, bearer("ada"), {"Authorization": "Bearer wrong"}):
        answer = client.post(path, json={}, headers=headers)
        assert (answer.status_code, answer.json["detail"]) == (401, "invalid_publish_key")


@pytest.mark.parametrize("path", ["/projects", "/v1/usage", "/v1/flags", "/auth/bootstrap"])
def test_nobody_is_told_nothing(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json["detail"]) == (401, "Missing Bearer token")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_A27_every_control_has_a_path_that_answers(
    app: Flask, client: FlaskClient, bearer: Any
) -> None:
    assert app.extensions["toastkit"].hooks.controls == CONTROLS
    for path in CONTROLS.values():
        assert client.get(path, headers=bearer("ada")).status_code == 200
