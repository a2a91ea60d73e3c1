from __future__ import annotations

import re

import pytest

PUBLISH, TOASTS = "/v1/toasts/publish", "/v1/toasts"
BODY = {"user_id": "ada", "topic": "user:ada", "toast": {"title": "Research complete"}}


@pytest.fixture
def publish(client, publisher):
    return lambda **changes: client.post(PUBLISH, json={**BODY, **changes}, headers=publisher)


@pytest.fixture
def listed(client, ada):
    return lambda query="": client.get(TOASTS + query, headers=ada).json["items"]


def test_A16_the_answer_has_the_six_keys(publish):
    answer = publish()
    assert answer.status_code == 202
    keys = ["delivered", "transport", "session_count", "id", "status", "reason"]
    assert list(answer.json) == keys


def test_A16_nobody_there_is_not_delivered(publish):
    answer = publish(fallback_apns=False).json
    assert (answer["delivered"], answer["transport"], answer["session_count"]) == (False, "none", 0)


def test_A20_the_list_has_the_eight_keys_first(publish, listed):
    toast = {
        "title": "Research complete",
        "body": "AI expense tracker",
        "style": "success",
        "priority": "high",
        "deeplink": "manticscore://research/1",
        "data": {"n": 1},
    }
    id = publish(toast=toast, topic="user:ada:default").json["id"]
    (item,) = listed()
    assert list(item)[:8] == [
        *("id", "topic", "title", "body", "style", "priority", "deeplink", "created_at")
    ]
    assert item["id"] == id
    assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{26}", id)
    assert item["topic"] == "user:ada:default"
    assert item["created_at"] == "2026-01-01T00:00:00+00:00"
    assert {name: item[name] for name in toast} == toast


def test_A20_missing_texts_are_null_and_the_defaults_are_the_documents(publish, listed):
    publish()
    (item,) = listed()
    assert (item["body"], item["deeplink"]) == (None, None)
    assert (item["style"], item["priority"]) == ("info", "normal")


def test_A19_newest_first_50_by_default(publish, listed):
    for n in range(52):
        publish(toast={"title": f"{n}"})
    assert [item["title"] for item in listed()] == [f"{n}" for n in range(51, 1, -1)]
    assert [item["title"] for item in listed("?limit=1")] == ["51"]
    assert len(listed("?limit=200")) == 52


@pytest.mark.parametrize(
    "limit",
    [
        *("0", "201", "-1", "", "x", "1.0", "1e2", "+5", " 5", "5 ", "0x10", "9" * 5000),
        *("\u0665", "\uff15", "null", "true", "[]", "1,2", "NaN", "inf"),
    ],
)
def test_A19_a_limit_out_of_range_is_refused_not_clamped(client, ada, limit):
    answer = client.get(TOASTS, query_string={"limit": limit}, headers=ada)
    assert answer.status_code == 422
    assert answer.json["detail"] == "limit must be 1-200"
    assert answer.json["errors"][0]["loc"] == ["limit"]


@pytest.mark.parametrize("value", ["yes", "", "2", "null"])
def test_A19_include_collapsed_is_true_or_false(client, ada, value):
    answer = client.get(TOASTS, query_string={"include_collapsed": value}, headers=ada)
    assert (answer.status_code, answer.json["errors"][0]["loc"]) == (422, ["include_collapsed"])


@pytest.mark.parametrize("query", ["", "?include_collapsed=true", "?include_collapsed=0"])
def test_A19_include_collapsed_is_understood(publish, listed, query):
    publish(collapse_key="one")
    assert len(listed(query)) == 1


def test_A19_everybody_reads_their_own(publish, client, ada):
    publish()
    answer = client.get(TOASTS, headers={**ada, "X-User": "bob"})
    assert answer.json["items"] == []
    assert client.get(TOASTS).status_code == 401


def test_A15_an_integer_user_id_is_text(client, publisher, ada):
    body = {**BODY, "user_id": 7, "topic": "user:7"}
    assert client.post(PUBLISH, json=body, headers=publisher).status_code == 202
    items = client.get(TOASTS, headers={**ada, "X-User": "7"}).json["items"]
    assert len(items) == 1


@pytest.mark.parametrize("name", ["dedupe_key", "collapse_key", "ttl_ms"])
def test_A15_optional_fields_may_be_null(publish, name):
    assert publish(**{name: None}).status_code == 202


def test_A15_fields_nobody_knows_are_ignored(publish, listed):
    publish(colour="red", toast={"title": "x", "image_url": "https://x"})
    assert [item["title"] for item in listed()] == ["x"]


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer wrong", "Basic c2VjcmV0"])
def test_A17_a_wrong_bearer_is_invalid_publish_key(client, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = client.post(PUBLISH, json=BODY, headers=headers)
    assert answer.status_code == 401
    assert (answer.json["detail"], answer.json["code"]) == ("invalid_publish_key",) * 2


def test_A17_the_hosts_login_publishes_nothing(client, ada):
    answer = client.post(PUBLISH, json=BODY, headers=ada)
    assert answer.json["detail"] == "invalid_publish_key"


@pytest.mark.parametrize("secret", ["", "   ", ","])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer "}])
def test_A17_without_a_secret_publishing_is_disabled(make_app, secret, headers):
    client = make_app(publish_secret=secret).test_client()
    answer = client.post(PUBLISH, data="not JSON", headers=headers)
    assert answer.status_code == 503
    assert answer.json["detail"] == "toast_publish_disabled"
    assert answer.headers["Retry-After"]


def test_A14_two_secrets_while_rotating(make_app):
    client = make_app(publish_secret="old, new").test_client()
    for secret, status in (("old", 202), ("new", 202), ("old, new", 401)):
        headers = {"Authorization": f"Bearer {secret}"}
        assert client.post(PUBLISH, json=BODY, headers=headers).status_code == status


def test_A14_a_secret_beyond_ascii(make_app):
    client = make_app(publish_secret="schlüssel").test_client()
    sent = "schlüssel".encode().decode("latin-1")
    headers = {"Authorization": f"Bearer {sent}"}
    assert client.post(PUBLISH, json=BODY, headers=headers).status_code == 202


def test_A17_checks_run_503_401_429_422(make_app, publisher):
    client = make_app(rate_limits=True, publish_rate="1/minute").test_client()
    wrong = {"Authorization": "Bearer wrong"}
    statuses = [
        client.post(PUBLISH, data="x", headers=headers).status_code
        for headers in (wrong, publisher, publisher, wrong)
    ]
    assert statuses == [401, 422, 429, 401]


def test_a_publisher_lets_others_go_first_after_each_answer(app, client, publisher, monkeypatch):
    runtime, breaths = app.extensions["toastkit"].kit.node.runtime, []
    monkeypatch.setattr(runtime, "breathe", lambda: breaths.append(1), raising=False)
    answer = client.post(PUBLISH, json=BODY, headers=publisher)
    assert not breaths
    answer.close()
    assert breaths == [1]
