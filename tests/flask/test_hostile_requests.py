"""Requests no client of ours would send: each gets a described status, and none a 500."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from tests.flask.conftest import making
from tests.verifiers.forgeries import NOW, token
from toastkit.identity import TicketRequest
from toastkit.testing import ManualClock
from toastkit_flask.views.stream import DIALECT

pytestmark = pytest.mark.plain

ULID = "01J00000000000000000000000"
BODY = b'{"device_id":"d","user_id":"u","topic":"user:u","toast":{"title":"t"}}'
HEADERS: dict[str, dict[str, str]] = {
    "bytes that are no text in the bearer": {"HTTP_AUTHORIZATION": "Bearer \xff\xfe\x80"},
    "a bearer of bytes after the prefix": {"HTTP_AUTHORIZATION": "Bearer ms_sess_\xff\xed\xa0\x80"},
    "a bearer with a NUL": {"HTTP_AUTHORIZATION": "Bearer ms_sess_\x00"},
    "a huge bearer": {"HTTP_AUTHORIZATION": "Bearer " + "x" * 200_000},
    "a JWT of dots": {"HTTP_AUTHORIZATION": "Bearer " + "." * 5000},
    "a JWT of brackets": {"HTTP_AUTHORIZATION": "Bearer W1tbW1tb.W1tbW1tb.W1tbW1tb"},
    "a scheme alone": {"HTTP_AUTHORIZATION": "Bearer"},
    "two tokens": {"HTTP_AUTHORIZATION": "Bearer a b"},
    "digest": {"HTTP_AUTHORIZATION": "Digest username=x, nonce="},
    "no JSON": {"CONTENT_TYPE": "text/plain"},
    "a form": {"CONTENT_TYPE": "multipart/form-data; boundary=x"},
    "a form without a boundary": {"CONTENT_TYPE": "multipart/form-data"},
    "a charset that is none": {"CONTENT_TYPE": "application/json; charset=x\xff"},
    "a type that is none": {"CONTENT_TYPE": ";;;===" * 1000},
    "a length that is none": {"CONTENT_LENGTH": "x"},
    "a negative length": {"CONTENT_LENGTH": "-1"},
    "a length in other digits": {"CONTENT_LENGTH": "\xb2"},
    "a huge length": {"CONTENT_LENGTH": "9" * 30},
    "a longer body promised": {"CONTENT_LENGTH": "5000"},
    "an encoding that is none": {"HTTP_CONTENT_ENCODING": "gzip", "HTTP_TRANSFER_ENCODING": "x"},
    "an origin of bytes": {"HTTP_ORIGIN": "http://\xff", "HTTP_X_TOASTKIT": "1"},
    "an origin of brackets": {"HTTP_ORIGIN": "http://[::1", "HTTP_X_TOASTKIT": "1"},
    "an origin of null": {"HTTP_ORIGIN": "null", "HTTP_X_TOASTKIT": "1"},
    "a huge origin": {"HTTP_ORIGIN": "http://" + "a" * 100_000, "HTTP_X_TOASTKIT": "1"},
    "a host of bytes": {"HTTP_HOST": "\xff\xfe"},
    "a host that is none": {"HTTP_HOST": "a b/c?d#e"},
    "an open bracket for a host": {"HTTP_HOST": "["},
    "a port that is none": {"HTTP_HOST": "localhost:99999999"},
    "an empty host": {"HTTP_HOST": ""},
    "a cookie of bytes": {"HTTP_COOKIE": 'session="\xff\\377; a=\x00; =; ;;'},
    "a huge cookie": {"HTTP_COOKIE": "a=b; " * 20_000},
    "a connection of bytes": {"HTTP_X_TOASTKIT_SESSION": "\xff\x00" * 500},
    "no address": {"REMOTE_ADDR": ""},
    "a query of bytes": {"QUERY_STRING": "limit=\xff&cursor=%ff%00&topic=%ed%a0%80&since=%f0%28"},
    "a query of percent signs": {"QUERY_STRING": "%" * 5000},
    "a huge query": {"QUERY_STRING": "topic=" + "x" * 300_000},
    "many parameters": {"QUERY_STRING": "&".join(["topic=user:ada"] * 5000)},
    "a query of NULs": {"QUERY_STRING": "limit=%00&unread=%00&state=%00&last_toast_id=%00"},
    "digits of others": {"QUERY_STRING": "limit=%D9%A3&since=%D9%A3.x"},
    "a range": {"HTTP_RANGE": "bytes=999999-1,-", "HTTP_IF_RANGE": "x\xff"},
    "conditions": {"HTTP_IF_NONE_MATCH": 'W/"\xff', "HTTP_IF_MODIFIED_SINCE": "\xff never"},
    "an upgrade": {"HTTP_CONNECTION": "Upgrade", "HTTP_UPGRADE": "websocket"},
    "an upgrade to nothing": {"HTTP_CONNECTION": "\xff", "HTTP_UPGRADE": "h2c"},
    "what it accepts": {"HTTP_ACCEPT": "\xff/\xff;q=x", "HTTP_ACCEPT_ENCODING": "\xff"},
    "a date no calendar has": {"HTTP_DATE": "99999999999999"},
    "another method by header": {"HTTP_X_HTTP_METHOD_OVERRIDE": "BREW"},
    "a URL scheme of its own": {"wsgi.url_scheme": "javascript"},
    "a script name of bytes": {"SCRIPT_NAME": "/\xff"},
}
PATHS = [
    "/\xff",
    "/\x00",
    "/\r\nX-A: b",
    "/..",
    "/%2e%2e",
    "//",
    "/\xed\xa0\x80",
    "/" + "a" * 20_000,
]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with making(tmp_path_factory.mktemp("host"), ManualClock(NOW * 1000)) as make:
        app = make(gateway="portable", connections=1)
        kit = app.extensions["toastkit"].kit
        ticket = kit.identity.tickets.grant(TicketRequest("ada", "d", ("user:ada",)), None)
        connection = kit.node.admit(ticket, DIALECT)
        yield app
        kit.node.runtime.ask(connection.lost)


@pytest.fixture(scope="module")
def paths(app: Flask) -> dict[str, Any]:
    found: dict[str, Any] = (app.test_client().get("/openapi.json").json or {})["paths"]
    return found


def bearers(app: Flask) -> dict[str, dict[str, str]]:
    kit = app.extensions["toastkit"].kit
    good = (kit.sessions.mint("ada")[0], token(sub="ada"), "secret")
    return {each[:3]: {"HTTP_AUTHORIZATION": f"Bearer {each}"} for each in good}


def ask(app: Flask, method: str, path: str, environ: dict[str, Any]) -> int:
    given = {"PATH_INFO": path, **environ}
    # What a WSGI server hands over, past every check of a client's: it is Latin-1, whatever it is.
    answer = app.test_client().open(
        "/", method=method, data=BODY, environ_overrides=given, buffered=True
    )
    assert len(answer.data) < 5000 or answer.status_code == 200
    answer.close()
    return answer.status_code


@pytest.mark.parametrize("name", HEADERS)
def test_hostile_headers_get_a_described_status(
    app: Flask, paths: dict[str, Any], name: str
) -> None:
    for path, methods in paths.items():
        for method, operation in methods.items():
            known = {int(status) for status in operation["responses"]} - {500}
            for good in ({}, *bearers(app).values()):
                where = path.format(id=ULID, device_id="d")
                status = ask(app, method.upper(), where, {**good, **HEADERS[name]})
                # An upgrade is routed to sockets, of which there is one.
                assert status in known | {405}, (method, path, status)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "BREW", "G\x01"])
def test_a_method_nobody_knows_is_405_in_our_words(
    app: Flask, paths: dict[str, Any], method: str
) -> None:
    for path in paths:
        environ = {"PATH_INFO": path.format(id=ULID, device_id="d"), "REQUEST_METHOD": method}
        answer = app.test_client().open("/", environ_overrides=environ, buffered=True)
        assert answer.status_code == 405
        assert "OPTIONS" in answer.headers["Allow"]
        assert (answer.json or {})["code"] == "method_not_allowed"


@pytest.mark.parametrize("key", ["token", "since", "state"])
def test_a_handshake_with_bytes_in_its_query_is_400(app: Flask, key: str) -> None:
    handshake = {
        "HTTP_CONNECTION": "Upgrade",
        "HTTP_UPGRADE": "websocket",
        "HTTP_SEC_WEBSOCKET_KEY": "dGhlIHNhbXBsZSBub25jZQ==",
        "HTTP_SEC_WEBSOCKET_VERSION": "13",
        "QUERY_STRING": f"{key}=\xff",
    }
    assert ask(app, "GET", "/v1/realtime", handshake) == 400


@pytest.mark.parametrize("end", PATHS, ids=ascii)
def test_hostile_paths_are_no_500(app: Flask, paths: dict[str, Any], end: str) -> None:
    for path, methods in paths.items():
        for method in methods:
            for place in (
                path.format(id=ULID, device_id="d") + end,
                path.format(id=end[1:], device_id=end[1:]),
            ):
                assert ask(app, method.upper(), place, bearers(app)["ms_"]) < 500, place
