"""Sessions of visitors, and what becomes of them at a sign-in, over HTTP."""

from __future__ import annotations

import json
import time

import pytest
from flask import Flask
from sqlalchemy import Column, Integer, MetaData, Table, Text, insert, select

from tests.postgres import plain_engine
from tests.verifiers.signing import token as jwt
from toastkit import Owned
from toastkit.senders import RecordingSender
from toastkit_flask import ToastKit

ANONYMOUS, REBIND, TOASTS = "/auth/anonymous", "/auth/rebind", "/v1/toasts"
MISSING, LENGTH = "device_id required", "device_id must be 1-200 chars"
BOTH = "device_id and clerk_user_id required"
NO_JSON = "body must be a JSON object"


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def visit(client):
    """Open a session of a device; return its headers."""

    def visit(device_id="phone"):
        return bearer(client.post(ANONYMOUS, json={"device_id": device_id}).json["token"])

    return visit


@pytest.fixture
def rebind(client, ada):
    """Rebind a device to a user, by default ada; return status and body."""

    def rebind(device_id="phone", user="ada"):
        headers = {**ada, "X-User": user}
        answer = client.post(REBIND, json={"device_id": device_id}, headers=headers)
        return answer.status_code, answer.json

    return rebind


@pytest.fixture
def kit(app):
    return app.extensions["toastkit"].kit


def who(kit, headers):
    return kit.sessions.find(headers["Authorization"].removeprefix("Bearer ")).user_id


# A visitor's session


def test_B7_a_device_gets_a_token_and_needs_nothing_for_it(client):
    answer = client.post(ANONYMOUS, json={"device_id": "phone"})
    assert answer.status_code == 200
    assert set(answer.json) == {"token", "expires_in"}
    assert answer.json["token"].startswith("ms_sess_")
    assert answer.json["expires_in"] == 1800
    assert answer.headers["Cache-Control"] == "no-store"


def test_B7_the_same_device_comes_back_to_what_is_its_own(client, visit, kit):
    first = visit()
    kit.publish_toast(who(kit, first), "Welcome")
    for headers in (first, visit()):
        [toast] = client.get(TOASTS, headers=headers).json["items"]
        assert toast["title"] == "Welcome"
    assert client.get(TOASTS, headers=visit("tablet")).json["items"] == []


def test_a_visitors_default_device_does_not_tell_who_it_is(client, visit, kit):
    headers = visit()
    answer = client.post("/v1/sessions/toast-bootstrap", headers=headers)
    assert answer.status_code == 200
    assert answer.json["default_topics"] == [f"user:{who(kit, headers)}"]


def test_whatever_else_a_request_brings_along_it_is_a_visitors(client, ada, kit):
    for headers in (ada, bearer("nonsense"), {"Origin": "https://elsewhere.example"}):
        answer = client.post(ANONYMOUS, json={"device_id": "phone"}, headers=headers)
        assert answer.status_code == 200
        assert kit.sessions.find(answer.json["token"]).kind == "anonymous"


NOT_THERE = [{}, {"device_id": None}, {"device_id": ""}, {"device_id": " \t"}, {"other": 1}]
WRONG = [
    *(7, -1, 0, 1.5, 1e300, True, False, [], ["phone"], {}, {"device_id": "phone"}),
    *("x" * 201, "x" * 10_000, "x\0", "\0", "a\nb", "\x7f", "\u200b", "\ue000"),
]


@pytest.mark.parametrize("body", NOT_THERE, ids=json.dumps)
def test_B8_B15_without_a_device_id_it_is_asked_for(client, ada, body):
    for path, text in ((ANONYMOUS, MISSING), (REBIND, BOTH)):
        answer = client.post(path, json=body, headers=ada)
        assert (answer.status_code, answer.json["detail"]) == (422, text)
        assert [error["loc"] for error in answer.json["errors"]] == [["device_id"]]


def test_B8_B15_without_a_body_it_is_asked_for(client, ada):
    for path, text in ((ANONYMOUS, MISSING), (REBIND, BOTH)):
        answer = client.post(path, headers=ada)
        assert (answer.status_code, answer.json["detail"]) == (422, text)


@pytest.mark.parametrize("given", WRONG, ids=lambda given: json.dumps(given)[:20])
def test_B7_a_device_id_that_is_none_gets_422(client, ada, given):
    for path in (ANONYMOUS, REBIND):
        answer = client.post(path, json={"device_id": given}, headers=ada)
        assert (answer.status_code, answer.json["detail"]) == (422, LENGTH)


@pytest.mark.parametrize(
    "raw",
    [
        *(b"[]", b'"phone"', b"null", b"{", b"\xff", b"device_id=phone", b"[" * 60_000),
        *(b'{"device_id":"\\ud800"}', b'{"device_id":"\xed\xa0\x80"}', b'{"device_id":NaN}'),
    ],
    ids=lambda raw: ascii(raw[:25]),
)
def test_a_body_that_is_no_json_object_gets_422(client, ada, raw):
    for path in (ANONYMOUS, REBIND):
        answer = client.post(path, data=raw, headers=ada)
        assert (answer.status_code, answer.json["detail"]) == (422, NO_JSON)


def test_a_body_that_is_too_long_gets_413(client, ada):
    for path in (ANONYMOUS, REBIND):
        assert client.post(path, data=b" " * 70_000, headers=ada).status_code == 413


@pytest.mark.parametrize("device_id", ["x", "x" * 200, "\u00e9" * 200, "' OR 1=1 --", "<b>", "%00"])
def test_any_text_may_name_a_device(rebind, visit, device_id):
    visit(device_id)
    assert rebind(device_id)[1]["rebound"] is True
    status, body = rebind(device_id, "bob")
    assert (status, body["detail"]) == (
        409,
        f"device {device_id} already rebound to a different user",
    )


# Becoming a user's


def test_B11_what_the_visitor_left_is_the_users(client, ada, visit, rebind, kit):
    headers = visit()
    user_id = who(kit, headers)
    kit.publish_toast(user_id, "Welcome")
    assert rebind() == (
        200,
        {"rebound": True, "rows_updated": 1, "anon_uuid": user_id.removeprefix("anon:")},
    )
    [toast] = client.get(TOASTS, headers=ada).json["items"]
    assert (toast["title"], toast["topic"]) == ("Welcome", "user:ada")


@pytest.mark.parametrize("kind", ["session", "jwt", "login"])
def test_B10_a_user_is_known_in_any_of_the_ways(client, ada, visit, kit, kind):
    visit()
    ways = {"session": bearer(kit.sessions.mint("ada")[0]), "jwt": bearer(jwt()), "login": ada}
    answer = client.post(REBIND, json={"device_id": "phone"}, headers=ways[kind])
    assert (answer.status_code, answer.json["rebound"]) == (200, True)


def test_B12_it_may_be_called_after_every_sign_in(rebind, visit):
    nothing = {"rebound": False, "rows_updated": 0, "anon_uuid": None}
    assert rebind() == (200, nothing)
    visit()
    status, first = rebind()
    assert (status, first["rebound"], first["rows_updated"]) == (200, True, 0)
    assert rebind() == (200, {**nothing, "anon_uuid": first["anon_uuid"]})


def test_B13_a_visitors_token_is_refused(client, visit):
    for body in ({"device_id": "phone"}, {}):
        answer = client.post(REBIND, json=body, headers=visit())
        assert answer.status_code == 401
        assert answer.json["detail"] == (
            "Rebind requires an authenticated user token; got anonymous session"
        )
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_B17_without_a_token_nothing_is_rebound(client, visit):
    visit()
    answer = client.post(REBIND, json={"device_id": "phone"})
    assert (answer.status_code, answer.json["detail"]) == (401, "Missing Bearer token")
    answer = client.post(REBIND, json={"device_id": "phone"}, headers=bearer("ms_sess_x"))
    assert (answer.status_code, answer.json["detail"]) == (401, "Invalid token: unknown session")


def test_B14_another_user_gets_409_also_when_more_was_written(rebind, visit, kit):
    visit()
    rebind()
    kit.publish_toast(who(kit, visit()), "Later")
    status, body = rebind(user="bob")
    assert (status, body["detail"]) == (409, "device phone already rebound to a different user")
    assert rebind()[1]["rows_updated"] == 1


def test_the_visitors_tokens_end_with_it(client, visit, rebind):
    tokens = [visit(), visit()]
    for headers in tokens:  # each is believed for a second from here
        assert client.get(TOASTS, headers=headers).status_code == 200
    rebind()
    for headers in tokens:
        answer = client.get(TOASTS, headers=headers)
        assert (answer.status_code, answer.json["detail"]) == (
            401,
            "Invalid token: session revoked",
        )
    assert (
        client.get(TOASTS, headers=visit()).status_code == 200
    )  # a new one is the visitor's again


def test_the_visitors_sockets_close_and_the_users_hear_of_it(app, connect, visit, rebind, kit):
    headers = visit()
    user_id = who(kit, headers)
    visitor, other, user = connect(user_id), connect("bob"), connect("ada")
    kit.publish_toast(user_id, "Welcome")
    kit.publish_toast(user_id, "Again")
    visitor.news()
    rebind()
    assert visitor.news()[-1] == "CLOSE 4001 token revoked"
    assert visitor.transport.returned
    [told] = user.news()
    assert told["type"] == "control"
    assert told["control"]["kind"] == "toasts.rebound"
    assert told["control"]["params"] == {"count": 2}
    assert other.news() == []


def test_who_is_forgotten_is_gone_as_a_visitor_too(connect, visit, rebind, kit):
    user_id = who(kit, visit())
    rebind()
    visitor, other = connect(user_id), connect(who(kit, visit("tablet")))
    kit.data.forget("ada")
    assert visitor.news()[-1] == "CLOSE 4001 token revoked"
    assert "CLOSE" not in str(other.news())


def test_an_open_page_of_the_users_is_shown_what_nobody_saw_and_nothing_twice(
    connect, visit, rebind, kit
):
    user_id = who(kit, visit())
    visitor, user = connect(user_id), connect("ada")
    kit.publish_toast("ada", "Before")
    kit.publish_toast(user_id, "Shown to the visitor")
    kit.node.runtime.ask(visitor.connection.lost)
    kit.publish_toast(user_id, "Nobody is there")
    user.news()
    assert rebind()[1]["rows_updated"] == 2
    kit.publish_toast("ada", "After")
    deadline = time.monotonic() + 5
    told = []
    while len(told) < 2 and time.monotonic() < deadline:
        told += [frame for frame in user.news() if frame["type"] == "toast"]
    shown = [(frame["toast"]["title"], frame["seq"]) for frame in told]
    assert shown == [("Nobody is there", 3), ("After", 4)]


def test_a_rebind_of_nothing_tells_nobody(connect, visit, rebind):
    visit()
    user = connect("ada")
    rebind()
    rebind()
    assert user.news() == []


# How often


def test_B7_is_limited_by_address_and_by_device(make_app):
    client = make_app(
        rate_limits=True, anonymous_rate="4/minute", device_rate="2/minute"
    ).test_client()

    def ask(device_id, address="10.0.0.1"):
        where = {"REMOTE_ADDR": address}
        body = {"device_id": device_id}
        return client.post(ANONYMOUS, json=body, environ_base=where).status_code

    assert [ask("phone", f"10.0.1.{n}") for n in range(3)] == [200, 200, 429]
    assert [ask(f"device {n}") for n in range(5)] == [200, 200, 200, 200, 429]


def test_rebinds_are_limited_by_user(make_app, ada):
    client = make_app(rate_limits=True, rebind_rate="2/minute").test_client()
    body = {"device_id": "phone"}
    answers = [client.post(REBIND, json=body, headers=ada) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json["detail"] == "Rate limit exceeded"
    bob = {**ada, "X-User": "bob"}
    assert client.post(REBIND, json=body, headers=bob).status_code == 200


# A secret of the device's


def test_with_a_device_secret_the_id_alone_opens_nothing(make_app, ada):
    client = make_app(device_secret=True).test_client()
    first = client.post(ANONYMOUS, json={"device_id": "phone"}).json
    assert set(first) == {"token", "expires_in", "device_secret"}
    given = {"device_id": "phone", "device_secret": first["device_secret"]}
    for body, text in (
        ({"device_id": "phone"}, "device_secret required"),
        ({**given, "device_secret": "x"}, "device_secret is wrong"),
        ({**given, "device_secret": {}}, "device_secret is wrong"),
    ):
        for path in (ANONYMOUS, REBIND):
            answer = client.post(path, json=body, headers=ada)
            assert (answer.status_code, answer.json["detail"]) == (422, text)
    assert set(client.post(ANONYMOUS, json=given).json) == {"token", "expires_in"}
    assert client.post(REBIND, json=given, headers=ada).json["rebound"] is True


# The app's own tables, and what is told outside


def make(folder, name, theirs, clock, **given):
    app = Flask(name, instance_path=str(folder / name))
    app.config["TOASTKIT_RATE_LIMITS"] = False
    toastkit = ToastKit(app, clock=clock, **given)
    toastkit.user_loader(lambda: "ada")
    app.test_client().get("/health")
    with app.app_context():
        toastkit.kit.toasts.list("ada")  # brings the file
        engine = plain_engine(toastkit.kit.config.database_url)
    theirs.create_all(engine)
    return app, engine


def test_two_apps_of_one_process_have_tables_of_their_own(tmp_path, clock):
    first, second = MetaData(), MetaData()
    notes = Table("notes", first, Column("id", Integer, primary_key=True), Column("by", Text))
    tasks = Table("tasks", second, Column("id", Integer, primary_key=True), Column("by", Text))
    apps = [
        (*make(tmp_path, "one", first, clock, owned=[Owned.of(notes, "by")]), notes),
        (*make(tmp_path, "two", second, clock, owned=[Owned.of(tasks, "by")]), tasks),
    ]
    page = {"X-ToastKit": "1"}
    for app, engine, table in apps:
        client, kit = app.test_client(), app.extensions["toastkit"].kit
        token = client.post(ANONYMOUS, json={"device_id": "phone"}).json["token"]
        visitor = kit.sessions.find(token).user_id
        with engine.begin() as connection:
            connection.execute(insert(table).values(by=visitor))
        answer = client.post(REBIND, json={"device_id": "phone"}, headers=page)
        assert answer.json["rows_updated"] == 1
        with engine.connect() as connection:
            assert connection.execute(select(table.c.by)).all() == [("ada",)]
        assert set(kit.data.export("ada")) & {"notes", "tasks"} == {table.name}
        engine.dispose()
        kit.close()


def test_a_clash_in_a_table_of_the_apps_is_409_and_names_no_user(tmp_path, clock):
    theirs = MetaData()
    plans = Table("plans", theirs, Column("by", Text, primary_key=True))
    app, engine = make(tmp_path, "one", theirs, clock, owned=[Owned.of(plans, "by")])
    client, kit = app.test_client(), app.extensions["toastkit"].kit
    token = client.post(ANONYMOUS, json={"device_id": "phone"}).json["token"]
    visitor = kit.sessions.find(token).user_id
    with engine.begin() as connection:
        connection.execute(insert(plans), [{"by": visitor}, {"by": "ada"}])
    page = {"X-ToastKit": "1"}
    answer = client.post(REBIND, json={"device_id": "phone"}, headers=page)
    assert (answer.status_code, answer.json["code"]) == (409, "rebind_clash")
    assert visitor not in answer.text
    assert client.get(TOASTS, headers=bearer(token)).status_code == 200  # nothing has happened
    engine.dispose()
    kit.close()


def test_B16_senders_of_the_event_are_owed_it(tmp_path, clock):
    sender = RecordingSender("identity.rebound")
    app, engine = make(tmp_path, "one", MetaData(), clock, senders=[sender])
    client, kit = app.test_client(), app.extensions["toastkit"].kit
    client.post(ANONYMOUS, json={"device_id": "my phone"})
    body = {"device_id": "my phone"}
    rebound = client.post(REBIND, json=body, headers={"X-ToastKit": "1"}).json
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT kind, payload FROM toastkit_deliveries").all()
    [(kind, payload)] = rows
    assert (kind, json.loads(payload)) == (
        "identity.rebound",
        {
            "anon_uuid": rebound["anon_uuid"],
            "user_id": "ada",
            "rows_updated": 0,
            "at": clock.now(),
        },
    )
    assert "my phone" not in payload
    engine.dispose()
    kit.close()
