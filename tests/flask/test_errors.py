from __future__ import annotations

import logging

import pytest
from flask import abort, got_request_exception, redirect
from werkzeug.exceptions import HTTPException

OURS = ["/v1/toasts", "/api/v1/toasts", "/v1/toasts/publish", "/auth/session", "/health"]


@pytest.fixture
def broken(app, monkeypatch):
    """An app whose list always fails in a way nobody expected."""

    def fail(*_, **__):
        raise RuntimeError("a detail of the inside")

    monkeypatch.setattr(app.extensions["toastkit"].kit.toasts, "list", fail, raising=False)
    return app


@pytest.mark.parametrize("path", OURS)
def test_another_method_is_405_in_json_with_allow(client, path):
    answer = client.patch(path)
    assert answer.status_code == 405
    assert answer.json["code"] == "method_not_allowed"
    assert "OPTIONS" in answer.headers["Allow"]
    assert "PATCH" not in answer.headers["Allow"]


@pytest.mark.parametrize("path", OURS)
def test_options_tells_the_methods(client, path):
    answer = client.options(path)
    assert answer.status_code == 204
    assert answer.headers["Allow"] == client.patch(path).headers["Allow"]


def test_every_error_has_detail_code_and_message(client, publisher):
    answers = [
        client.get("/v1/toasts"),
        client.post("/v1/toasts/publish", data="x", headers=publisher),
        client.put("/health"),
        client.get("/v1/realtime"),
    ]
    assert [list(answer.json)[:3] for answer in answers] == [["detail", "code", "message"]] * 4


def test_422_names_the_field(client, publisher):
    body = {"user_id": "ada", "topic": "user:ada", "toast": {}}
    answer = client.post("/v1/toasts/publish", json=body, headers=publisher)
    assert answer.status_code == 422
    assert [set(error) for error in answer.json["errors"]] == [{"loc", "msg", "type"}]


def test_the_unexpected_is_500_in_json_logged_and_signalled(broken, ada, caplog):
    signalled = []

    def hear(_, exception):
        signalled.append(exception)

    with got_request_exception.connected_to(hear, broken), caplog.at_level(logging.ERROR):
        answer = broken.test_client().get("/v1/toasts", headers=ada)
    assert answer.status_code == 500
    assert answer.json["code"] == "internal_error"
    assert "inside" not in answer.text
    assert "a detail of the inside" in caplog.text
    assert [str(error) for error in signalled] == ["a detail of the inside"]


def test_the_hosts_error_handlers_do_not_answer_for_us(broken, ada):
    for kind in (Exception, HTTPException, 401, 405, 500):
        broken.register_error_handler(kind, lambda _: ("the host's page", 418))
    client = broken.test_client()
    assert client.get("/v1/toasts", headers=ada).status_code == 500
    assert client.get("/v1/toasts").status_code == 401
    assert client.patch("/v1/toasts").status_code == 405


def test_outside_our_paths_the_host_answers(app):
    app.add_url_rule("/boom", "boom", lambda: abort(403))
    app.register_error_handler(404, lambda _: ("the host's page", 404))
    client = app.test_client()
    assert client.get("/v1/else").text == "the host's page"
    assert client.get("/boom").mimetype == "text/html"


def test_what_the_host_aborts_on_the_way_to_us_is_told_in_json(app):
    app.before_request(lambda: abort(451, "not here"))
    answer = app.test_client().get("/health")
    assert (answer.status_code, answer.json["message"]) == (451, "not here")


def test_the_hosts_redirect_stays_a_redirect(app):
    app.before_request(lambda: abort(redirect("https://localhost/health")))
    assert app.test_client().get("/health").headers["Location"] == "https://localhost/health"
