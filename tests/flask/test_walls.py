"""What a host answers before toastkit is asked, and what becomes of it on toastkit's paths."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from flask import Response, abort, redirect, request

pytestmark = pytest.mark.plain


BODY = {"user_id": "ada", "topic": "user:ada", "toast": {"title": "Hello"}}


@pytest.fixture
def app(make_app):
    """An app that sends whoever is not signed in to its login page."""
    app = make_app()
    app.add_url_rule("/login", "login", lambda: "Who are you?")

    @app.before_request
    def wall():
        if "X-User" not in request.headers and request.endpoint != "login":
            return redirect("/login?next=/")
        return None

    return app


def test_who_is_signed_in_does_not_notice_a_wall(client, ada):
    assert client.post("/v1/sessions/toast-bootstrap", headers=ada).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/toasts/publish"),
        ("POST", "/api/v1/sessions/toast-bootstrap"),
        ("PATCH", "/v1/toasts"),
        ("GET", "/toastkit/toastkit.js"),
        ("GET", "/health"),
    ],
)
def test_a_program_is_not_sent_to_a_login_page(client, publisher, method, path):
    answer = client.open(path, method=method, json=BODY, headers=publisher)
    assert (answer.status_code, answer.json["code"]) == (401, "missing_token")
    assert "/login" in answer.json["message"]


def test_the_log_says_once_what_to_let_pass(client, publisher, caplog):
    for _ in range(2):
        client.post("/v1/toasts/publish", json=BODY, headers=publisher)
    assert caplog.text.count("'toastkit_'") == 1
    assert "POST /v1/toasts/publish was redirected to /login by this app" in caplog.text


def test_neither_log_nor_answer_repeat_what_a_query_said(make_app, caplog):
    app = make_app()

    @app.before_request
    def wall():
        return redirect(f"/login?next={quote(request.full_path)}")

    answer = app.test_client().get("/v1/toasts/a%0ab/read?token=ms_tok_secret")
    assert "/login" in answer.json["message"]
    assert "ms_tok" not in caplog.text + answer.text
    assert "GET /v1/toasts/a%0Ab/read was" in caplog.text


def test_the_hosts_own_paths_are_redirected_as_before(app, client):
    app.add_url_rule("/mine", "mine", lambda: "mine")
    assert client.get("/mine").headers["Location"] == "/login?next=/"


def test_a_wall_that_lets_our_endpoints_pass_leaves_the_rest_to_us(make_app, publisher):
    app = make_app()

    @app.before_request
    def wall():
        return None if request.endpoint.startswith("toastkit_") else redirect("/login")

    app.add_url_rule("/mine", "mine", lambda: "mine")
    client = app.test_client()
    assert client.post("/v1/toasts/publish", json=BODY, headers=publisher).status_code == 202
    assert client.post("/v1/toasts/publish", json=BODY).status_code == 401
    assert client.get("/mine").status_code == 302


def test_the_same_path_of_another_origin_stays_a_redirect(make_app, publisher):
    app = make_app()

    @app.before_request
    def https_first():
        return redirect(request.url.replace("http:", "https:"), 308)

    answer = app.test_client().post("/v1/toasts/publish?x=1", json=BODY, headers=publisher)
    assert answer.status_code == 308
    assert answer.headers["Location"] == "https://localhost/v1/toasts/publish?x=1"


def test_a_redirect_that_leads_nowhere_is_no_500(make_app):
    app = make_app()
    app.before_request(lambda: Response(status=302, headers={"Location": "http://[::1"}))
    assert app.test_client().get("/v1/toasts").status_code == 401


@pytest.mark.parametrize(
    "say", [lambda: ("Closed for today", 503), lambda: Response(status=204), lambda: abort(403)]
)
def test_any_other_answer_of_the_host_is_its_own(make_app, say):
    app = make_app()
    app.before_request(say)
    assert app.test_client().get("/v1/toasts").status_code in (503, 204, 403)


class SignInError(Exception):
    """A host's own."""


def test_a_hosts_own_error_is_told_by_its_own_handler(make_app):
    app = make_app()

    @app.before_request
    def wall():
        raise SignInError

    app.register_error_handler(SignInError, lambda _: ("Sign in first", 403))
    app.register_error_handler(Exception, lambda _: ("Sorry", 500))
    answer = app.test_client().get("/v1/toasts")
    assert (answer.status_code, answer.text) == (403, "Sign in first")


def test_what_the_host_has_no_words_for_is_told_in_ours(make_app):
    app = make_app()

    @app.before_request
    def wall():
        raise SignInError

    app.register_error_handler(Exception, lambda _: ("Sorry", 500))
    assert app.test_client().get("/v1/toasts").json["code"] == "internal_error"
