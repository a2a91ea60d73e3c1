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


@pytest.mark.parametrize("name", ["include_collapsed", "unread"])
@pytest.mark.parametrize("value", ["yes", "", "2", "null"])
def test_A19_a_flag_is_true_or_false(client, ada, name, value):
    answer = client.get(TOASTS, query_string={name: value}, headers=ada)
    assert (answer.status_code, answer.json["errors"][0]["loc"]) == (422, [name])


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


@pytest.fixture
def ask(client, ada):
    """Do something with a toast as ada; return the answer."""
    return lambda method, path, **given: client.open(
        f"{TOASTS}/{path}", method=method, **{"headers": ada, **given}
    )


@pytest.fixture
def page(client, ada):
    return lambda query="": client.get(TOASTS + query, headers=ada).json


ACTIONS = [("POST", "/read"), ("POST", "/unread"), ("POST", "/seen"), ("DELETE", "")]


def test_A_21_a_page_says_where_the_next_begins(publish, page):
    for n in range(5):
        publish(toast={"title": f"{n}"})
    titles, cursor = [], ""
    while cursor is not None:
        got = page(f"?limit=2{cursor and '&cursor=' + cursor}")
        titles.append([item["title"] for item in got["items"]])
        cursor = got["next_cursor"]
    assert titles == [["4", "3"], ["2", "1"], ["0"]]


def test_A_21_a_page_shows_one_topic_alone(publish, page):
    publish()
    publish(topic="user:ada:builds", toast={"title": "Build finished"})
    got = page("?topic=user:ada:builds")
    assert [item["title"] for item in got["items"]] == ["Build finished"]
    assert got["unread_count"] == 2


def test_A_21_a_page_shows_the_unread_alone(publish, page, ask):
    read, unread = publish().json["id"], publish().json["id"]
    ask("POST", f"{read}/read")
    got = page("?unread=true")
    assert ([item["id"] for item in got["items"]], got["unread_count"]) == ([unread], 1)


@pytest.mark.parametrize("cursor", ["", "x", "%00", "0" * 25, "0" * 10_000, "7" + "Z" * 25])
def test_A_21_a_cursor_of_nobodys_toast_is_422(client, ada, cursor):
    answer = client.get(f"{TOASTS}?cursor={cursor}", headers=ada)
    assert (answer.status_code, answer.json["errors"][0]["loc"]) == (422, ["cursor"])


def test_A_21_a_cursor_of_somebody_elses_toast_is_422(publish, client, ada):
    id = publish(user_id="bob", topic="user:bob").json["id"]
    assert client.get(f"{TOASTS}?cursor={id}", headers=ada).status_code == 422


@pytest.mark.parametrize("topic", ["", "user:bob", "user:ada:*", "%00", "x" * 10_000])
def test_A_21_a_topic_the_list_cannot_have_is_422(client, ada, topic):
    answer = client.get(f"{TOASTS}?topic={topic}", headers=ada)
    assert (answer.status_code, answer.json["detail"]) == (422, "topic_not_allowed")


def test_A_22_read_is_read_and_seen_and_unread_takes_it_back(publish, listed, ask, clock):
    id = publish().json["id"]
    clock.advance(1)
    answer = ask("POST", f"{id}/read")
    assert (answer.status_code, answer.json) == (200, {"id": id, "unread_count": 0})
    at = "2026-01-01T00:00:01+00:00"
    assert [(item["seen_at"], item["read_at"]) for item in listed()] == [(at, at)]
    assert ask("POST", f"{id}/unread").json == {"id": id, "unread_count": 1}
    assert [(item["seen_at"], item["read_at"]) for item in listed()] == [(at, None)]


def test_A_22_seen_is_not_read(publish, listed, ask):
    id = publish().json["id"]
    assert ask("POST", f"{id}/seen").json == {"id": id, "unread_count": 1}
    assert [item["read_at"] for item in listed()] == [None]
    assert listed()[0]["seen_at"] == "2026-01-01T00:00:00+00:00"


def test_A_22_what_is_deleted_is_gone_for_good(publish, page, ask):
    id = publish().json["id"]
    assert ask("DELETE", id).json == {"id": id, "unread_count": 0}
    assert page() == {"items": [], "next_cursor": None, "unread_count": 0}
    assert [ask(method, id + action).status_code for method, action in ACTIONS] == [404] * 4


def test_A_22_everything_is_read_at_once(publish, page, ask):
    for _ in range(3):
        publish()
    assert ask("POST", "read-all").json == {"read": 3, "unread_count": 0}
    assert ask("POST", "read-all", json={}).json == {"read": 0, "unread_count": 0}


def test_A_22_everything_up_to_one_is_read(publish, listed, ask):
    ids = [publish(toast={"title": f"{n}"}).json["id"] for n in range(3)]
    answer = ask("POST", "read-all", json={"before": ids[1]})
    assert answer.json == {"read": 2, "unread_count": 1}
    assert [item["title"] for item in listed("?unread=true")] == ["2"]


@pytest.mark.parametrize("before", ["", "x", "0" * 26, "\x00" * 26, "x" * 10_000, "\U0001f600"])
def test_A_22_everything_up_to_nobodys_toast_is_404(publish, page, ask, before):
    publish()
    answer = ask("POST", "read-all", json={"before": before})
    assert (answer.status_code, answer.json["code"]) == (404, "toast_not_found")
    assert page()["unread_count"] == 1


@pytest.mark.parametrize("before", [7, True, [], {}, ["x"]])
def test_A_22_before_is_text(ask, before):
    answer = ask("POST", "read-all", json={"before": before})
    assert (answer.status_code, answer.json["errors"][0]["loc"]) == (422, ["before"])


@pytest.mark.parametrize(("method", "action"), ACTIONS)
def test_A_22_everybody_changes_their_own(publish, client, ada, page, method, action):
    id = publish().json["id"]
    answer = client.open(f"{TOASTS}/{id}{action}", method=method, headers={**ada, "X-User": "bob"})
    assert (answer.status_code, answer.json["detail"]) == (404, "toast_not_found")
    assert page()["unread_count"] == 1
    assert client.open(f"{TOASTS}/{id}{action}", method=method).status_code == 401


def test_A_22_everybody_reads_all_of_their_own(publish, client, ada, page):
    id = publish().json["id"]
    bob = {**ada, "X-User": "bob"}
    assert client.post(f"{TOASTS}/read-all", headers=bob).json["read"] == 0
    answer = client.post(f"{TOASTS}/read-all", json={"before": id}, headers=bob)
    assert answer.status_code == 404
    assert page()["unread_count"] == 1


@pytest.mark.parametrize(("method", "action"), ACTIONS)
def test_A_22_each_change_is_told_to_the_other_connections(
    publish, ask, ada, connect, method, action
):
    id = publish().json["id"]
    acting, other, bob = connect("ada"), connect("ada"), connect("bob")
    headers = {**ada, "X-ToastKit-Session": acting.connection.id}
    ask(method, id + action, headers=headers)
    kind = f"toast.{action[1:] or 'deleted'}"
    (frame,) = other.news()
    assert (frame["control"]["kind"], frame["control"]["params"]) == (kind, {"id": id})
    assert acting.news() == bob.news() == []


def test_A_22_reading_all_is_told_to_the_other_connections(publish, ask, ada, connect):
    publish()
    acting, other = connect("ada"), connect("ada")
    ask("POST", "read-all", headers={**ada, "X-ToastKit-Session": acting.connection.id})
    (frame,) = other.news()
    assert frame["control"]["kind"] == "toasts.read_all"
    assert frame["control"]["params"] == {"up_to": None}
    assert acting.news() == []


@pytest.mark.parametrize("session", ["", "x" * 10_000, "\xff", "*"])
def test_A_22_a_connection_nobody_has_excludes_nobody(publish, ask, ada, connect, session):
    id, mine = publish().json["id"], connect("ada")
    assert ask("POST", f"{id}/read", headers={**ada, "X-ToastKit-Session": session}).json
    assert len(mine.news()) == 1


def test_A_22_changes_have_a_rate_of_their_own(make_app, ada):
    client = make_app(rate_limits=True, inbox_rate="2/minute").test_client()
    paths = ("x/read", "read-all", "x/seen")
    statuses = [client.post(f"{TOASTS}/{path}", headers=ada).status_code for path in paths]
    assert statuses == [404, 200, 429]
    assert client.get(TOASTS, headers=ada).status_code == 200
