from __future__ import annotations

import logging

import pytest

from tests.verifiers.forgeries import token

PATH = "/auth/bootstrap"
VISITOR = "anon:6f9619ff-8b86-4011-b42d-00cf4fc964ff"


@pytest.fixture
def hooks(app):
    return app.extensions["toastkit"].hooks


def ask(client, user, path=PATH):
    opened, _ = client.application.extensions["toastkit"].kit.sessions.mint(user)
    return client.get(path, headers={"Authorization": f"Bearer {opened}"})


def test_B6_bootstrap_tells_what_the_hosts_hooks_know(client, hooks):
    hooks.profile = lambda user_id: {"name": f"Name of {user_id}", "email": "a@example.com"}
    hooks.subscription = lambda _: {"plan": "pro", "credits_used": 3, "credits_total": 20}
    hooks.secrets = lambda _: {"has_github_pat": True}
    answer = ask(client, "ada")
    credits = {"plan": "pro", "credits_used": 3, "credits_total": 20}
    assert answer.status_code == 200
    assert answer.json == {
        "profile": {"name": "Name of ada", "email": "a@example.com", **credits},
        "subscription": credits,
        "secrets": {"has_github_pat": True, "has_anthropic_key": False},
    }
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("user", ["ada", VISITOR])
def test_resolution_14_without_hooks_the_field_set_stays(client, user):
    told = ask(client, user).json
    assert told["profile"] == {
        "name": None,
        "email": None,
        "plan": "free",
        "credits_used": 0,
        "credits_total": 0,
    }
    assert told["secrets"] == {"has_github_pat": False, "has_anthropic_key": False}


def test_resolution_14_hooks_are_asked_about_an_anonymous_session_too(client, hooks):
    asked = []
    hooks.profile = asked.append  # it returns None: this host knows nothing of visitors
    assert ask(client, VISITOR).json["profile"]["name"] is None
    assert asked == [VISITOR]


def test_B6_every_way_in_is_good_enough(client, ada):
    assert client.get(PATH, headers=ada).status_code == 200
    jwt = {"Authorization": f"Bearer {token()}"}
    assert client.get(PATH, headers=jwt).status_code == 200
    answer = client.get(PATH)
    assert (answer.status_code, answer.json["detail"]) == (401, "Missing Bearer token")


def test_a_hook_that_fails_is_logged_and_its_words_are_not_told(client, hooks, caplog):
    def broken(_):
        raise LookupError("marked")

    hooks.profile = broken
    answer = ask(client, "ada")
    assert (answer.status_code, answer.json["detail"]) == (500, "Internal Server Error")
    assert "marked" in caplog.text


def test_a_hook_that_returns_no_mapping_is_named_in_the_log(client, hooks, caplog):
    hooks.secrets = lambda _: "ghp_marked"
    assert ask(client, "ada").status_code == 500
    assert "the secrets hook must return a mapping" in caplog.text
    assert "ghp_marked" not in caplog.text


def test_bootstrap_may_be_asked_60_times_a_minute(make_app):
    client = make_app(rate_limits=True).test_client()
    answers = [ask(client, "ada").status_code for _ in range(61)]
    assert answers == [200] * 60 + [429]
    assert ask(client, "grace").status_code == 200


# ---- signing in


def exchange(client, **claims):
    bearer = {"Authorization": f"Bearer {token(**claims)}"}
    return client.post("/auth/session", headers=bearer)


def test_B1_the_host_is_told_of_each_sign_in_with_the_verified_claims(client, hooks):
    told = []
    hooks.signed_in = lambda user_id, claims: told.append((user_id, claims))
    assert exchange(client, sub="ada", email="ada@example.com").status_code == 200
    ((user_id, claims),) = told
    assert user_id == "ada"
    assert (claims["sub"], claims["email"]) == ("ada", "ada@example.com")


def test_nobody_is_signed_in_whom_the_host_fails_to_note(client, hooks, caplog):
    def refuse(user_id, claims):
        raise RuntimeError("no room")

    hooks.signed_in = refuse
    answer = exchange(client, sub="ada")
    assert answer.status_code == 500
    assert "token" not in answer.json
    data = client.application.extensions["toastkit"].kit.data
    assert data.export("ada")["toastkit_sessions"] == []
    assert "no room" in caplog.text


def test_a_session_token_signs_nobody_in(client, hooks):
    told = []
    hooks.signed_in = lambda *said: told.append(said)
    opened = exchange(client).json["token"]
    told.clear()
    client.post("/auth/session", headers={"Authorization": f"Bearer {opened}"})
    client.post("/auth/session", headers={"Authorization": "Bearer x.y.z"})
    assert told == []


# ---- controls


@pytest.mark.parametrize(
    ("path", "answered"),
    [
        ("/v1/usage", True),
        ("/v1/usage?fields=plan", True),
        ("/v1/toasts", True),
        ("/items/{id}", True),
        ("https://other.example/usage", True),
        ("/nowhere", False),
        ("/posted", False),
        ("/auth/session", False),
    ],
)
def test_A27_a_path_to_refetch_that_no_route_answers_is_warned_about(
    make_app, caplog, path, answered
):
    app = make_app()
    app.add_url_rule("/v1/usage", "usage", dict)
    app.add_url_rule("/items/<id>", "item", lambda id: {})
    app.add_url_rule("/posted", "posted", dict, methods=["POST"])
    app.extensions["toastkit"].hooks.controls["usage.changed"] = path
    with caplog.at_level(logging.WARNING):
        app.test_client().get("/health")
        app.test_client().get("/health")
    assert caplog.text.count("no route of this app answers GET there") == (not answered)
