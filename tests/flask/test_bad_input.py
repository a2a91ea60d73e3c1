"""Hostile topics, bodies and tokens: each gets its documented answer, and none a 500."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from tests.flask.conftest import making
from tests.verifiers.forgeries import NOW, forgeries, token
from toastkit.testing import ManualClock

pytestmark = pytest.mark.plain

BOOTSTRAP, PUBLISH = "/v1/sessions/toast-bootstrap", "/v1/toasts/publish"
REGISTER, TOASTS, SESSION = "/v1/devices/register-toast", "/v1/toasts", "/auth/session"
DEVICES = "/v1/devices"

TOPICS = [
    # Somebody else's namespace; the user is u1.
    "user:u10", "user:u10:x", "user:u", "user:u2", "user:u2:x", "user:u2:*", "user:U1", "user:U1:x",
    "user:u1x", "user:u1-", "user:u1.x", "user:u1/x", "user:u1%3Ax", "user:x:u1", "user:u2:u1",
    "user:u2:user:u1", "user:01", "user:anon:0b9d4c1e-7d5f-4a2b-9c3d-1e2f3a4b5c6d",
    "user:anon:0b9d4c1e-7d5f-4a2b-9c3d-1e2f3a4b5c6d:x",
    # What only looks like user:.
    "USER:u1", "User:u1:x", "uSeR:u2", "\uff55ser:u2", "use\uff52:u2:x", "user\uff1au2",
    "user\uff1au1", "\u24e4\u24e2\u24d4\u24e1:u2", "\U0001d42eser:u2", "u\u017fer:u2", "user\ufe55u2",
    "user", "USER", "\uff55\uff53\uff45\uff52",
    # Empty segments.
    "", ":", "::", "user:", "user::", "user::x", "user:u1:", "user:u1::", "user:u1::x", ":user:u1",
    "news:", ":news", "news::today", "user:anon", "user:anon:", "user:anon:x", "user:anon::x",
    # Wildcards.
    "*", "user:*", "user:*:x", "user:u*", "user:u1*", "user:u1:x:*", "user:u1:*:x", "user:u1:**",
    "user:u1:*x", "user:u1:x*", "*:u1", "**", "news:*", "user:u1:*:*",
    # Characters nobody sees.
    "user:u1\x00", "user:u1:\x00", "\x00user:u1", "user:u1\n", "user:u1:x\r\nuser:u2", "user:u1 ",
    " user:u1", "user :u1", "user: u1", "user:u1:a b", "user:u1\t", "user:u1\u200b", "us\u200ber:u2",
    "\u200buser:u2", "user\u00ad:u2", "\ufeffuser:u2", "user:u1\u202e", "\u2066user:u2", "user:u1\x7f",
    "user:u1\x85", "user:u1\u2028", "user\u00a0:u2", "user:u1:\ue000", "user:u1:\U000e0061",
    # Size.
    "x" * 201, "user:u1:" + "x" * 193, "x" * 10_000, "user:u1:" + "x" * 10_000, ":" * 10_000,
]  # fmt: skip
GOOD = ["user:u1", "user:u1:x", "user:u1:x:y", "user:u1:u2", "news", "orders:7", "x" * 200]


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """One app takes it all: what one input does to it, the next would find."""
    with making(tmp_path_factory.mktemp("host"), ManualClock(NOW * 1000)) as make:
        yield make()


def test_the_table_of_topics_is_long_enough():
    assert len(set(TOPICS)) == len(TOPICS) >= 60


@pytest.mark.parametrize("topic", TOPICS, ids=ascii)
def test_A5_a_hostile_topic_is_dropped_at_bootstrap(client, ada, topic):
    body = {"default_topics": [topic, "user:u1:mine"]}
    answer = client.post(BOOTSTRAP, json=body, headers={**ada, "X-User": "u1"})
    assert (answer.status_code, answer.json["default_topics"]) == (200, ["user:u1:mine"])


@pytest.mark.parametrize("topic", TOPICS, ids=ascii)
def test_A15_a_hostile_topic_is_422_at_publish(client, publisher, topic):
    body = {"user_id": "u1", "topic": topic, "toast": {"title": "x"}}
    answer = client.post(PUBLISH, json=body, headers=publisher)
    assert (answer.status_code, answer.json["detail"]) == (422, "topic_not_allowed")
    assert answer.json["errors"][0]["loc"] == ["topic"]
    assert len(answer.data) < 4000


@pytest.mark.parametrize("topic", GOOD)
def test_a_good_topic_passes_both(client, ada, publisher, topic):
    wanted = {"default_topics": [topic]}
    answer = client.post(BOOTSTRAP, json=wanted, headers={**ada, "X-User": "u1"})
    assert answer.json["default_topics"] == [topic]
    body = {"user_id": "u1", "topic": topic, "toast": {"title": "x"}}
    assert client.post(PUBLISH, json=body, headers=publisher).status_code == 202


def test_a_wildcard_may_be_heard_but_not_published_on(client, ada, publisher):
    wanted = {"default_topics": ["user:u1:*"]}
    answer = client.post(BOOTSTRAP, json=wanted, headers={**ada, "X-User": "u1"})
    assert answer.json["default_topics"] == ["user:u1:*"]
    body = {"user_id": "u1", "topic": "user:u1:*", "toast": {"title": "x"}}
    assert client.post(PUBLISH, json=body, headers=publisher).status_code == 422


JSON = "body must be a JSON object"
RAW = [
    b"x", b"{", b"}", b"{}x", b"{} {}", b"[", b"[]", b"[{}]", b"null", b"true", b"7", b'"text"', b"NaN",
    b"-Infinity", b"'", b"{'a':1}", b"{a:1}", b'{"a":1,}', b"{,}", b'{"a"}', b'{"device_id":NaN}',
    b'{"device_id":Infinity}', b'{"device_id":01}', b'{"device_id":"\\x41"}', b'{"device_id":"\\ud800"}',
    b'{"device_id":"\\udc00\\ud800"}', b'{"\\ud800":1}', b'{"device_id":"\xff"}', b'{"device_id":"\xc0\x80"}',
    b'{"device_id":"\xed\xa0\x80"}', b'{"device_id":"\x00"}', b'{"device_id":"\n"}', b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}", b"\x00", b"\x00" * 1000, b"[" * 60_000, b'{"a":' * 12_000, b'{"a":' + b"[" * 60_000,
    b'{"apns":' * 8000, b"device_id=phone", b"<xml/>", b"/* */{}", b"1e999999", b"-", b"--", b"\r\n",
]  # fmt: skip


@pytest.mark.parametrize("path", [BOOTSTRAP, REGISTER, PUBLISH])
@pytest.mark.parametrize("raw", RAW, ids=lambda raw: ascii(raw[:40]))
def test_a_body_that_is_no_json_object_is_422(client, ada, publisher, path, raw):
    answer = client.post(path, data=raw, headers={**ada, **publisher} if path == PUBLISH else ada)
    assert answer.status_code == 422
    if path != PUBLISH:  # there a required field may be missed before the end is reached
        assert answer.json["detail"] == JSON
        assert answer.json["errors"][0]["loc"] == []


def nested(depth):
    data = 1
    for _ in range(depth):
        data = {"a": data}
    return data


FIELDS = [
    ({"user_id": None}, ["user_id"]),
    ({"user_id": ""}, ["user_id"]),
    ({"user_id": True}, ["user_id"]),
    ({"user_id": 1.5}, ["user_id"]),
    ({"user_id": ["ada"]}, ["user_id"]),
    ({"user_id": {}}, ["user_id"]),
    ({"user_id": "a:b"}, ["user_id"]),
    ({"user_id": "*"}, ["user_id"]),
    ({"user_id": "anon"}, ["user_id"]),
    ({"user_id": "anon:x"}, ["user_id"]),
    ({"user_id": "a b"}, ["user_id"]),
    ({"user_id": "a\x00"}, ["user_id"]),
    ({"user_id": "x" * 201}, ["user_id"]),
    ({"topic": None}, ["topic"]),
    ({"topic": 7}, ["topic"]),
    ({"topic": ["user:ada"]}, ["topic"]),
    ({"toast": None}, ["toast"]),
    ({"toast": "title"}, ["toast"]),
    ({"toast": []}, ["toast"]),
    ({"toast": {}}, ["toast", "title"]),
    ({"toast": {"title": None}}, ["toast", "title"]),
    ({"toast": {"title": 7}}, ["toast", "title"]),
    ({"toast": {"title": ""}}, ["toast", "title"]),
    ({"toast": {"title": "  "}}, ["toast", "title"]),
    ({"toast": {"title": "x" * 201}}, ["toast", "title"]),
    ({"toast": {"title": "x\x00"}}, ["toast", "title"]),
    ({"toast": {"title": "x", "body": 7}}, ["toast", "body"]),
    ({"toast": {"title": "x", "body": "x" * 2001}}, ["toast", "body"]),
    ({"toast": {"title": "x", "style": "loud"}}, ["toast", "style"]),
    ({"toast": {"title": "x", "style": None}}, ["toast", "style"]),
    ({"toast": {"title": "x", "priority": "urgent"}}, ["toast", "priority"]),
    ({"toast": {"title": "x", "deeplink": "javascript:alert(1)"}}, ["toast", "deeplink"]),
    ({"toast": {"title": "x", "deeplink": "JaVaScRiPt:alert(1)"}}, ["toast", "deeplink"]),
    ({"toast": {"title": "x", "deeplink": "java\nscript:alert(1)"}}, ["toast", "deeplink"]),
    ({"toast": {"title": "x", "deeplink": "data:text/html,x"}}, ["toast", "deeplink"]),
    ({"toast": {"title": "x", "deeplink": "//evil.example"}}, ["toast", "deeplink"]),
    ({"toast": {"title": "x", "deeplink": "not a uri"}}, ["toast", "deeplink"]),
    ({"toast": {"title": "x", "data": []}}, ["toast", "data"]),
    ({"toast": {"title": "x", "data": "x"}}, ["toast", "data"]),
    ({"toast": {"title": "x", "data": {"a": "x" * 4096}}}, ["toast", "data"]),
    ({"toast": {"title": "x", "data": nested(800)}}, ["toast", "data"]),
    ({"dedupe_key": ""}, ["dedupe_key"]),
    ({"dedupe_key": 7}, ["dedupe_key"]),
    ({"dedupe_key": "x" * 201}, ["dedupe_key"]),
    ({"dedupe_key": "a\n"}, ["dedupe_key"]),
    ({"collapse_key": ""}, ["collapse_key"]),
    ({"collapse_key": []}, ["collapse_key"]),
    ({"ttl_ms": -1}, ["ttl_ms"]),
    ({"ttl_ms": 1.5}, ["ttl_ms"]),
    ({"ttl_ms": "60"}, ["ttl_ms"]),
    ({"ttl_ms": True}, ["ttl_ms"]),
    ({"ttl_ms": 10**30}, ["ttl_ms"]),
    ({"fallback_apns": None}, ["fallback_apns"]),
    ({"fallback_apns": "no"}, ["fallback_apns"]),
    ({"fallback_apns": 1}, ["fallback_apns"]),
]


def test_the_table_of_bodies_is_long_enough():
    assert len(RAW) >= 40
    assert len(FIELDS) >= 40


@pytest.mark.parametrize(("change", "loc"), FIELDS)
def test_A15_a_wrong_field_is_422_and_named(client, publisher, ada, change, loc):
    body = {"user_id": "ada", "topic": "user:ada", "toast": {"title": "x"}, **change}
    answer = client.post(PUBLISH, data=json.dumps(body), headers=publisher)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["loc"] == loc
    assert len(answer.data) < 4000
    assert client.get(TOASTS, headers=ada).json["items"] == []


@pytest.mark.parametrize("name", ["user_id", "topic", "toast"])
def test_A15_a_missing_field_is_required(client, publisher, name):
    body = {"user_id": "ada", "topic": "user:ada", "toast": {"title": "x"}}
    del body[name]
    answer = client.post(PUBLISH, json=body, headers=publisher)
    assert (answer.status_code, answer.json["detail"]) == (422, f"{name} required")
    assert answer.json["errors"] == [{"loc": [name], "msg": f"{name} required", "type": "missing"}]


def test_of_a_key_that_comes_twice_the_last_counts(client, ada):
    answer = client.post(BOOTSTRAP, data=b'{"device_id":"a","device_id":""}', headers=ada)
    assert answer.json["detail"] == "device_id required"


TOKENS = {
    **dict(list(forgeries().items())[::6]),  # all of them: tests/verifiers/test_forgeries.py
    "a session nobody has": "ms_sess_" + "a" * 43,
    "the prefix alone": "ms_sess_",
    "a session in capitals": "MS_SESS_" + "a" * 43,
    "a session with a quote": "ms_sess_' OR 1=1 --",
    "a session with a wildcard": "ms_sess_%",
    "a session with a very long name": "ms_sess_" + "a" * 60_000,
    "two tokens": f"{token()}, Bearer {token()}",
    "two words": "a b",
    "another scheme inside": "Bearer x",
    "a path": "../../etc/passwd",
    "a template": "{{7*7}}${7*7}%s%n",
    "the publish secret": "secret",
    "null": "null",
    "undefined": "undefined",
    "canary": "canary-5f2b9c",
}
HEADERS = {
    name: text
    for name, text in TOKENS.items()
    if text == text.strip() != "" and not {"\n", "\udcff"} & set(text)
}


def test_the_table_of_tokens_is_long_enough():
    assert len(HEADERS) >= 40


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", BOOTSTRAP), ("POST", REGISTER), ("GET", TOASTS), ("POST", SESSION)),
        *(("POST", f"{TOASTS}/read-all"), ("DELETE", f"{TOASTS}/x")),
        *(("GET", DEVICES), ("DELETE", f"{DEVICES}/x")),
    ],
)
@pytest.mark.parametrize("name", HEADERS)
def test_B17_a_bad_token_is_401_and_repeated_nowhere(client, caplog, method, path, name):
    bad = HEADERS[name].encode().decode("latin-1")
    answer = client.open(path, method=method, headers={"Authorization": f"Bearer {bad}"})
    assert answer.status_code == 401
    assert answer.json["detail"].startswith("Invalid token: ")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert bad not in answer.text + caplog.text or len(bad) < 4


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"ms_sess_\xff", b"\xed\xa0\x80", b"a\x00b"])
def test_B17_bytes_that_are_no_text_are_401(client, raw):
    header = f"Bearer {raw.decode('latin-1')}"
    environ = {"HTTP_AUTHORIZATION": header}
    for method, path in (
        ("GET", TOASTS),
        ("POST", SESSION),
        ("DELETE", SESSION),
        ("POST", PUBLISH),
    ):
        answer = client.open(path, method=method, environ_overrides=environ)
        assert answer.status_code == 401


ULID = "01KDVDNB00K1M1YJ2YJ2YJ2YJ2"
IDS = [
    "x", "0" * 26, "7" + "Z" * 25, "8" + "Z" * 25, ULID.lower(), ULID + "0", ULID[:-1], f" {ULID}",
    f"{ULID}\n", f"{ULID}\x00", "\x00", "\x00" * 26, "x" * 10_000, "0" * 10_000, "\u0660" * 26, "\ufffd",
    "\U0001f600", "a b", "*", "%", "%25", "..%2f", "%00", "' OR 1=1 --", "{{7*7}}", "null", "None", "-1", "1e9",
    "publish%2Fx", "read-all ", "a;b", "a,b", "a=b", "~", "\u202e", "<script>", "\\", "\r\nX-A: b",
]  # fmt: skip
CHANGES = [("POST", "/read"), ("POST", "/unread"), ("POST", "/seen"), ("DELETE", "")]


def test_the_table_of_ids_is_long_enough():
    assert len(set(IDS)) == len(IDS) >= 35


@pytest.mark.parametrize("base", ["", "/api"])
@pytest.mark.parametrize(("method", "action"), CHANGES)
@pytest.mark.parametrize("id", IDS, ids=lambda id: ascii(id[:30]))
def test_A_22_a_hostile_id_is_nobodys_toast(client, ada, base, method, action, id):
    answer = client.open(f"{base}{TOASTS}/{quote(id, safe='')}{action}", method=method, headers=ada)
    assert (answer.status_code, answer.json["code"]) == (404, "toast_not_found")
    assert len(answer.data) < 4000


@pytest.mark.parametrize(("method", "action"), CHANGES)
@pytest.mark.parametrize("raw", ["\xff\xfe", "\xed\xa0\x80", "\xc0\x80"])
def test_A_22_bytes_that_are_no_text_are_nobodys_toast(client, ada, method, action, raw):
    # As a server hands over a path that is not UTF-8.
    path = {"PATH_INFO": f"{TOASTS}/{raw}{action}"}
    answer = client.open("/", method=method, headers=ada, environ_overrides=path)
    assert (answer.status_code, answer.json["code"]) == (404, "toast_not_found")


@pytest.mark.parametrize("path", ["a/b/read", "a%2Fb/read", "a/read/b", "read-all/x"])
def test_A_22_what_has_more_parts_is_no_path(client, ada, path):
    assert client.post(f"{TOASTS}/{path}", headers=ada).status_code == 404


@pytest.mark.parametrize("base", ["", "/api"])
@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("", "DELETE", "GET, HEAD, OPTIONS"),
        ("/read-all", "GET", "OPTIONS, POST"),
        ("/read-all", "DELETE", "OPTIONS, POST"),
        ("/publish", "DELETE", "OPTIONS, POST"),
        (f"/{ULID}", "GET", "DELETE, OPTIONS"),
        (f"/{ULID}", "POST", "DELETE, OPTIONS"),
        (f"/{ULID}/read", "GET", "OPTIONS, POST"),
        (f"/{ULID}/unread", "PUT", "OPTIONS, POST"),
        (f"/{ULID}/seen", "DELETE", "OPTIONS, POST"),
    ],
)
def test_A_22_another_method_is_405_and_told(client, ada, base, path, method, allowed):
    path = base + TOASTS + path
    answer = client.open(path, method=method, headers=ada)
    assert (answer.status_code, answer.json["code"]) == (405, "method_not_allowed")
    assert ", ".join(sorted(answer.headers["Allow"].split(", "))) == allowed
    answer = client.options(path)
    assert (answer.status_code, answer.headers["Allow"]) == (204, allowed)


@pytest.mark.parametrize("base", ["", "/api"])
@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("", "POST", "GET, HEAD, OPTIONS"),
        ("", "DELETE", "GET, HEAD, OPTIONS"),
        ("/register-toast", "GET", "OPTIONS, POST"),
        ("/phone", "GET", "DELETE, OPTIONS"),
        ("/phone", "PUT", "DELETE, OPTIONS"),
        ("/clerk:ada", "POST", "DELETE, OPTIONS"),
    ],
)
def test_A_27_another_method_on_devices_is_405_and_told(client, ada, base, path, method, allowed):
    path = base + DEVICES + path
    answer = client.open(path, method=method, headers=ada)
    assert (answer.status_code, answer.json["code"]) == (405, "method_not_allowed")
    assert ", ".join(sorted(answer.headers["Allow"].split(", "))) == allowed
    answer = client.options(path)
    assert (answer.status_code, answer.headers["Allow"]) == (204, allowed)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", REGISTER), ("DELETE", f"{DEVICES}/phone"), ("GET", DEVICES)]
)
def test_A11_a_page_of_another_origin_reaches_no_device(client, ada, method, path):
    headers = {**ada, "Origin": "https://evil.example"}
    answer = client.open(path, method=method, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (403, "origin_not_allowed")
    del headers["X-ToastKit"]
    assert client.open(path, method=method, headers=headers).status_code == 401


@pytest.mark.parametrize("raw", RAW, ids=lambda raw: ascii(raw[:40]))
def test_A_22_a_read_all_whose_body_is_no_object_reads_nothing(client, ada, raw):
    raw = raw.replace(b"device_id", b"before")
    answer = client.post(f"{TOASTS}/read-all", data=raw, headers=ada)
    assert (answer.status_code, answer.json["detail"]) == (422, JSON)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "read-all"), *((verb, ULID + end) for verb, end in CHANGES)]
)
def test_A_22_a_page_of_another_origin_changes_nothing(client, ada, method, path):
    headers = {**ada, "Origin": "https://evil.example"}
    answer = client.open(f"{TOASTS}/{path}", method=method, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (403, "origin_not_allowed")
    del headers["X-ToastKit"]
    answer = client.open(f"{TOASTS}/{path}", method=method, headers=headers)
    assert answer.status_code == 401
