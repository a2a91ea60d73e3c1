"""What a client or a publisher names leaves with a push, as a path and as headers, or is refused."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import pytest

from tests.apple.server import Apple
from tests.flask.conftest import making
from tests.verifiers.forgeries import NOW
from toastkit import Invalid
from toastkit.senders.apns import RecordingApns
from toastkit.testing import ManualClock

pytestmark = pytest.mark.plain

REGISTER, PUBLISH, BOOTSTRAP = (
    "/v1/devices/register-toast",
    "/v1/toasts/publish",
    "/v1/sessions/toast-bootstrap",
)
HEX = "ab" * 32

WAYS = [
    "..", ".", "../a", "..\\a", "/../../etc/passwd", "a/../b", "a/..", "a/./b", "./a", "a\\..\\b", "%2e%2e",
    "%2E%2E/a", "..%2f..%2fa", "..%5Ca", "%2e", "a/%2e%2e/b",
]  # fmt: skip
LINES = [
    "\r\n", "a\r\nX-A: b", "a\nb", "a\rb", "\x00", "a\x00b", "a\x0b", "a\x1b[2J", "a\x7f", "a\x85b", "a\u2028b",
    "a\u202eb", "a\u200bb", "\ufeffa", "\ud800", "a%0d%0aapns-topic: b", "a%00", "a%0A", "a\t", "\u2066a",
]  # fmt: skip
LONG = ["x" * 201, "x" * 10_000, "ä" * 10_000, "\U0001f600" * 201]
PATHS = [
    "/",
    "\\",
    "a/b",
    "/a",
    "a/",
    "a\\b",
    "a%2fb",
    "a%5Cb",
    "3/device/x",
    "https://evil.example/",
]
TYPES = [7, True, 1.5, ["a"], {"a": "b"}]
TOKENS = [
    *WAYS, *LINES, *LONG, *PATHS, *TYPES, "", HEX[:-1], HEX + "/", HEX + "\n", HEX + "\x00", "/" + HEX, HEX + " ",
    "../" + HEX, HEX + "/../" + HEX, HEX + "?a=b", HEX + "#a", HEX + "%2f", "zz" * 32, "\uff41" * 64, "0x" + HEX,
    "<" + HEX + ">", HEX[:32] + " " + HEX[32:], HEX + "\r\nX-A: b", "ab" * 101, "a" * 10_000,
]  # fmt: skip
BUNDLES = [
    *WAYS,
    *LINES,
    *LONG,
    *PATHS,
    *TYPES,
    "",
    "a b",
    ".a",
    "a.",
    "a..b",
    "a_b",
    "ä.b",
    "a:b",
    "a;b",
    "x" * 156,
]


@pytest.fixture(scope="module")
def recorder():
    return RecordingApns(most=1000)


@pytest.fixture(scope="module")
def app(tmp_path_factory, recorder):
    """One app takes it all: what one input does to it, the next would find."""
    with making(tmp_path_factory.mktemp("host"), ManualClock(NOW * 1000)) as make:
        app = make(senders=[recorder], sweep_ms=20, due_ms=1)
        app.extensions["toastkit"].kit.node.serve()
        yield app


@pytest.fixture
def kit(app):
    return app.extensions["toastkit"].kit


def test_the_corpus_is_long_enough():
    assert len(WAYS) + len(LINES) + len(LONG) >= 40
    assert len(TOKENS) >= 60


def raw(body):
    return json.dumps(body).encode()  # lone surrogates too, as escapes


@pytest.mark.parametrize("path", [REGISTER, BOOTSTRAP])
@pytest.mark.parametrize("device_id", [*WAYS, *LINES, *LONG, *PATHS, *TYPES], ids=ascii)
def test_a_hostile_device_id_is_422(client, kit, ada, path, device_id):
    answer = client.post(path, data=raw({"device_id": device_id}), headers=ada)
    assert answer.status_code == 422
    assert len(answer.data) < 4000
    assert kit.devices.of("ada") == []


@pytest.mark.parametrize("base", ["", "/api"])
@pytest.mark.parametrize("device_id", [*WAYS, *LINES, *LONG, *PATHS], ids=lambda id: ascii(id)[:40])
def test_A_27_a_hostile_id_is_nobodys_device(client, ada, base, device_id):
    path = quote(device_id.encode("utf-8", "surrogatepass"), safe="")
    answer = client.delete(f"{base}/v1/devices/{path}", headers=ada)
    if answer.status_code == 308:  # werkzeug reads two slashes as one
        answer = client.delete(answer.location, headers=ada)
    assert answer.status_code == 404
    assert len(answer.data) < 4000
    if device_id not in PATHS and "\n" not in device_id:  # those are no path of ours
        assert answer.json["code"] == "device_not_found"


@pytest.mark.parametrize("name", ["token", "device_token"])
@pytest.mark.parametrize("token", TOKENS, ids=lambda token: ascii(token)[:40])
def test_A_26_a_hostile_push_token_is_422(client, kit, ada, name, token):
    body = {"device_id": "phone", "apns": {name: token}}
    answer = client.post(REGISTER, data=raw(body), headers=ada)
    assert answer.status_code == 422
    assert len(answer.data) < 4000
    assert kit.devices.of("ada") == []


@pytest.mark.parametrize("path", [REGISTER, BOOTSTRAP])
@pytest.mark.parametrize("bundle_id", BUNDLES, ids=lambda bundle_id: ascii(bundle_id)[:40])
def test_A4_a_hostile_bundle_id_is_422(client, kit, ada, path, bundle_id):
    body = {"device_id": "phone", "bundle_id": bundle_id}
    answer = client.post(path, data=raw(body), headers=ada)
    assert answer.status_code == 422
    assert len(answer.data) < 4000
    assert kit.devices.of("ada") == []


@pytest.mark.parametrize("key", [*WAYS, *LINES, *LONG, *TYPES, ""], ids=lambda key: ascii(key)[:40])
def test_A15_a_hostile_collapse_key_is_422_at_every_door(client, kit, publisher, key):
    body = {"user_id": "eve", "topic": "user:eve", "toast": {"title": "x"}, "collapse_key": key}
    answer = client.post(PUBLISH, data=raw(body), headers=publisher)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["loc"] == ([] if key == "\ud800" else ["collapse_key"])
    assert len(answer.data) < 4000
    with pytest.raises(Invalid):
        kit.publish_toast("eve", "x", collapse_key=key)
    with pytest.raises(Invalid):
        kit.publish_toasts(["eve"], "x", collapse_key=key)
    assert kit.toasts.list("eve").items == []


ODD = [
    ("phone", "order/17", "Order"),
    ("Ädas Handy \U0001f4f1", "Größe " * 33, "\u202eevil"),
    ("x" * 200, "x" * 200, "x" * 200),
    ("'; DROP TABLE--", "x" * 65, "\r\nX-A: b"),
    ("a?b#c&d=e", " a ", "{{7*7}}"),
    ("100%", "100%", "%0d%0a"),
    ("\u0645\u0631\u062d\u0628\u0627", "\U0001f468" * 64, '"},"aps":{"badge":99}'),
]


@pytest.mark.parametrize(("device_id", "key", "title"), ODD, ids=lambda text: ascii(text)[:30])
def test_what_is_merely_odd_leaves_as_a_plain_path_and_plain_headers(
    client, kit, ada, publisher, recorder, device_id, key, title
):
    kept = {"device_id": device_id, "apns": {"token": HEX.upper()}}
    assert client.post(REGISTER, data=raw(kept), headers=ada).status_code == 200
    toast = {"title": title, "body": title, "data": {title: title}, "deeplink": "app://x?a=b"}
    body = {"user_id": "ada", "topic": "user:ada", "toast": toast, "collapse_key": key}
    answer = client.post(PUBLISH, data=raw(body), headers=publisher)
    assert (answer.status_code, answer.json["transport"]) == (202, "apns")
    kit.deliveries.carry(once=True)
    request = recorder.posted[-1].request
    assert re.fullmatch(r"[A-Za-z0-9.\-]+(:[0-9]+)?", request.host)
    assert request.path == f"/3/device/{HEX}"
    for name, value in request.headers:
        assert re.fullmatch(r"[a-z0-9\-]+", name)
        assert re.fullmatch(r"[\x21-\x7e]([\x20-\x7e]{0,254}[\x21-\x7e])?", value), (name, value)
    headers = dict(request.headers)
    assert headers["apns-topic"] == "com.bairisland.manticscore"
    assert len(headers["apns-collapse-id"]) <= 64
    shown = json.loads(request.body)
    assert shown["aps"]["alert"]["title"] == title
    assert "badge" not in shown["aps"]
    assert len(request.body) <= 4096
    assert client.delete(f"/v1/devices/{quote(device_id, safe='')}", headers=ada).status_code == 200


def test_and_apples_own_server_finds_nothing_wrong_with_it(make_app, papers, clock, ada, publisher):
    with Apple(papers, now=lambda: clock.now() / 1000) as apple:
        client = make_app(**apple.config(), confirm_ms=5000, sweep_ms=20).test_client()
        for device_id, key, title in ODD:
            kept = {"device_id": device_id, "apns": {"token": HEX}}
            answer = client.post(REGISTER, data=raw(kept), headers=ada)
            assert answer.json["apns_fallback_enabled"] is True
            body = {"user_id": "ada", "topic": "user:ada", "toast": {"title": title}}
            answer = client.post(
                PUBLISH, data=raw({**body, "collapse_key": key}), headers=publisher
            )
            assert (answer.json["transport"], answer.json["status"]) == ("apns", "delivered")
        assert apple.faults() == []
        assert {request.path for request in apple.requests} == {f"/3/device/{HEX}"}
        assert len(apple.requests) == len(ODD)
