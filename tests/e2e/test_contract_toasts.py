"""The items of the toast contract, over real sockets."""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, request
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from werkzeug.serving import make_server

from tests.verifiers.forgeries import NOW, jwk, token
from toastkit import publish_toast, publish_toasts
from toastkit.testing import ManualClock
from toastkit.verifiers import StaticVerifier
from toastkit_flask import ToastKit

BOOTSTRAP, PUBLISH = "/v1/sessions/toast-bootstrap", "/v1/toasts/publish"
REGISTER, TOASTS = "/v1/devices/register-toast", "/v1/toasts"


class House:
    """A served app: its clock, its users' requests and their sockets."""

    def __init__(self, app: Flask, clock: ManualClock, port: int) -> None:
        self.app, self.clock, self.host = app, clock, f"127.0.0.1:{port}"
        self.kit = app.extensions["toastkit"].kit

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Return status and body of a request; ``X_User`` is written ``X-User``."""
        data = None if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        wanted = urllib.request.Request(f"http://{self.host}{path}", data, named, method=method)
        try:
            with urllib.request.urlopen(wanted, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def bootstrap(self, user: str = "ada", **body: Any) -> Any:
        status, answer = self.ask("POST", BOOTSTRAP, body, X_User=user, X_ToastKit="1")
        assert status == 200, answer
        return answer

    def publish(self, user: str = "ada", **changes: Any) -> Any:
        body = {"user_id": user, "topic": f"user:{user}", "toast": {"title": "x"}, **changes}
        status, answer = self.ask("POST", PUBLISH, body, Authorization="Bearer secret")
        assert status == 202, answer
        return answer

    def items(self, user: str = "ada") -> list[Any]:
        return self.ask("GET", TOASTS, X_User=user, X_ToastKit="1")[1]["items"]

    @contextmanager
    def knock(self, url: str) -> Iterator[ClientConnection]:
        with connect(url, close_timeout=2, proxy=None) as socket:
            yield socket

    @contextmanager
    def join(self, user: str = "ada", query: str = "", **body: Any) -> Iterator[ClientConnection]:
        """Be a client of a user, its greeting read."""
        with self.knock(self.bootstrap(user, **body)["ws_url"] + query) as socket:
            assert hear(socket)["type"] == "connection_ack"
            yield socket


def hear(socket: ClientConnection) -> Any:
    return json.loads(socket.recv(timeout=5))


def say(socket: ClientConnection, **message: Any) -> Any:
    """Say something and return the next frame."""
    socket.send(json.dumps(message))
    return hear(socket)


def silent(socket: ClientConnection) -> bool:
    """Tell whether nothing has been said before the answer to a ping of ours."""
    return say(socket, type="ping", id="still there?").get("id") == "still there?"


def closed(socket: ClientConnection) -> int | None:
    with pytest.raises(ConnectionClosed):
        socket.recv(timeout=5)
    return socket.close_code


@pytest.fixture
def house(tmp_path) -> Iterator[House]:
    clock = ManualClock(NOW * 1000)
    app = Flask("host", instance_path=str(tmp_path / "instance"))
    verifier = StaticVerifier({"keys": [jwk()]}, clock)
    toastkit = ToastKit(
        app, verifiers=[verifier], clock=clock, publish_secret=("secret",), rate_limits=False
    )
    toastkit.user_loader(lambda: request.headers.get("X-User"))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    serving = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    serving.start()
    yield House(app, clock, server.port)
    app.extensions["toastkit"].kit.close()
    server.shutdown()
    serving.join()
    server.server_close()


def test_A1_A8_a_jwt_opens_the_gateway(house):
    status, answer = house.ask("POST", BOOTSTRAP, Authorization=f"Bearer {token()}")
    assert status == 200
    with house.knock(answer["ws_url"]) as socket:
        assert hear(socket)["topics"] == ["user:ada"]


def test_A1_B2_a_session_token_opens_it_too(house):
    opened = house.ask("POST", "/auth/session", Authorization=f"Bearer {token()}")[1]["token"]
    answer = house.ask("POST", BOOTSTRAP, Authorization=f"Bearer {opened}")[1]
    with house.knock(answer["ws_url"]) as socket:
        assert hear(socket)["type"] == "connection_ack"


def test_A2_clerk_jwt_in_the_body_changes_nobody(house):
    answer = house.bootstrap("ada", clerk_jwt=token(sub="eve"))
    assert answer["default_topics"] == ["user:ada"]


def test_A3_the_ticket_of_a_nameless_device_is_clerk_and_user(house):
    answer = house.bootstrap("ada")
    assert house.kit.identity.tickets.redeem(answer["token"]).device_id == "clerk:ada"


def test_A4_a_bundle_id_may_be_named(house):
    assert house.bootstrap("ada", bundle_id="com.example.app")["token"]


def test_A5_A10_topics_that_passed_are_heard_from_the_start(house):
    topics = ["user:ada:builds", "user:bob:builds", "news"]
    answer = house.bootstrap("ada", default_topics=topics)
    assert answer["default_topics"] == ["user:ada:builds", "news"]
    with house.knock(answer["ws_url"]) as socket:
        assert hear(socket)["topics"] == ["user:ada:builds", "news"]
        house.publish(topic="user:ada:builds")
        assert hear(socket)["topic"] == "user:ada:builds"
        house.publish(topic="news")
        assert hear(socket)["topic"] == "news"


def test_A6_A9_the_answer_of_the_bootstrap(house):
    answer = house.bootstrap()
    assert set(answer) == {"token", "ws_url", "expires_at", "default_topics"}
    assert answer["expires_at"] == "2026-01-01T00:15:00+00:00"


def test_A7_a_ticket_opens_any_number_of_sockets_meanwhile(house):
    url = house.bootstrap()["ws_url"]
    with house.knock(url) as one, house.knock(url) as two:
        ids = {hear(socket)["session_id"] for socket in (one, two)}
        assert len(ids) == 2
        assert house.publish()["session_count"] == 2


def test_A8_the_gateway_answers_with_and_without_api(house):
    url = house.bootstrap()["ws_url"]
    assert f"ws://{house.host}/api/v1/realtime?token=" in url
    with house.knock(url.replace("/api/v1/", "/v1/")) as socket:
        assert hear(socket)["type"] == "connection_ack"


def test_A11_A13_a_device_is_registered(house):
    body = {"device_id": "clerk:ada", "apns": {"token": "ab" * 32}}
    status, answer = house.ask("POST", REGISTER, body, X_User="ada", X_ToastKit="1")
    assert status == 200
    assert answer["registered"] is True
    assert answer["device_id"] == "clerk:ada"


def test_A12_device_id_is_required(house):
    status, answer = house.ask("POST", REGISTER, {}, X_User="ada", X_ToastKit="1")
    assert (status, answer["detail"]) == (422, "device_id required")


def test_A14_A16_a_toast_that_was_shown(house):
    with house.join() as socket:
        receipt = house.publish()
        assert hear(socket)["toast"]["id"] == receipt["id"]
        assert receipt["delivered"] is True
        assert (receipt["transport"], receipt["session_count"]) == ("websocket", 1)
        assert (receipt["status"], receipt["reason"]) == ("delivered", None)


def test_A15_ttl_0_reaches_whoever_is_there_now(house):
    with house.join() as socket:
        assert house.publish(ttl_ms=0)["delivered"] is True
        assert hear(socket)["toast"]["title"] == "x"


def test_A15_the_keys_of_a_toast_travel_with_it(house):
    with house.join() as socket:
        house.publish(dedupe_key="d", collapse_key="c", ttl_ms=60_000)
        toast = hear(socket)["toast"]
        assert (toast["dedupe_key"], toast["collapse_key"]) == ("d", "c")
        assert toast["expires_at"] == "2026-01-01T00:01:00+00:00"


def test_A15_a_duplicate_of_a_delivered_toast_is_a_receipt_and_is_not_shown(house):
    with house.join() as socket:
        first = house.publish(dedupe_key="d")
        hear(socket)
        again = house.publish(dedupe_key="d")
        assert (again["status"], again["reason"]) == ("duplicate", "duplicate")
        assert again["id"] == first["id"]
        assert silent(socket)


def test_A17_invalid_publish_key(house):
    status, answer = house.ask("POST", PUBLISH, {}, Authorization="Bearer wrong")
    assert (status, answer["detail"]) == (401, "invalid_publish_key")


def test_A18_in_process_no_secret_and_no_hop(house):
    with house.join() as socket:
        with house.app.app_context():
            receipt = publish_toast("ada", "Order placed")
        assert receipt.delivered
        assert hear(socket)["toast"]["title"] == "Order placed"


def test_A18_to_many_users_in_process(house):
    with house.join("ada") as ada, house.join("bob") as bob:
        with house.app.app_context():
            receipts = publish_toasts(["ada", "bob", "eve"], "Hello")
        assert [receipt.delivered for receipt in receipts] == [True, True, False]
        assert {hear(socket)["toast"]["title"] for socket in (ada, bob)} == {"Hello"}


def test_A19_A20_what_was_shown_is_listed_the_same(house):
    with house.join() as socket:
        house.publish(toast={"title": "Done", "style": "success", "deeplink": "app://x"})
        shown = hear(socket)["toast"]
    (item,) = house.items()
    eight = ["id", "topic", "title", "body", "style", "priority", "deeplink", "created_at"]
    assert {name: item[name] for name in eight} == {name: shown[name] for name in eight}
    assert list(item)[:8] == eight


@pytest.mark.parametrize(
    "bad", ["nobody", "x" * 4000, "%00", "%ff", "a%20b", "ms_sess_x", "%F0%9F"]
)
def test_A21_unknown_token_gets_error_frame_then_4001(house, bad):
    with house.knock(f"ws://{house.host}/api/v1/realtime?token={bad}") as socket:
        frame = hear(socket)
        assert (frame["type"], frame["code"]) == ("error", "invalid_token")
        assert frame["retryable"] is False
        assert closed(socket) == 4001


def test_A21_expired_token_gets_error_frame_then_4001(house):
    url = house.bootstrap()["ws_url"]
    house.clock.advance(901)
    with house.knock(url) as socket:
        assert hear(socket)["code"] == "token_expired"
        assert closed(socket) == 4001


def test_A21_a_ticket_of_a_revoked_session_gets_4001(house):
    opened = house.ask("POST", "/auth/session", Authorization=f"Bearer {token()}")[1]["token"]
    url = house.ask("POST", BOOTSTRAP, Authorization=f"Bearer {opened}")[1]["ws_url"]
    house.ask("DELETE", "/auth/session", Authorization=f"Bearer {opened}")
    with house.knock(url) as socket:
        assert hear(socket)["code"] == "invalid_token"
        assert closed(socket) == 4001
        assert socket.close_reason == "token revoked"


@pytest.mark.parametrize("query", ["", "?", "?token=", "?Token=x", "?state=background"])
def test_A21_no_token_is_4002(house, query):
    with house.knock(f"ws://{house.host}/api/v1/realtime{query}") as socket:
        assert hear(socket)["code"] == "missing_token"
        assert closed(socket) == 4002


def test_A22_the_server_speaks_first(house):
    with house.knock(house.bootstrap()["ws_url"]) as socket:
        frame = hear(socket)
        assert list(frame) == ["type", "session_id", "topics", "seq", "epoch"]
        assert frame["type"] == "connection_ack"
        assert str(UUID(frame["session_id"])) == frame["session_id"]
        assert frame["topics"] == ["user:ada"]
        assert (frame["seq"], frame["epoch"]) == (0, "")


def test_A23_a_toast_frame(house):
    with house.join() as socket:
        receipt = house.publish(topic="user:ada")
        frame = hear(socket)
    assert list(frame)[:3] == ["type", "topic", "toast"]
    assert (frame["type"], frame["topic"]) == ("toast", "user:ada")
    assert frame["toast"]["id"] == receipt["id"]
    assert frame["toast"]["created_at"] == "2026-01-01T00:00:00+00:00"
    assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{26}", receipt["id"])
    assert isinstance(frame["seq"], int)
    assert frame["epoch"]


def test_A23_seq_grows_by_one_in_one_epoch(house):
    with house.join() as socket:
        for _ in range(3):
            house.publish()
        frames = [hear(socket) for _ in range(3)]
    assert [frame["seq"] - frames[0]["seq"] for frame in frames] == [0, 1, 2]
    assert len({frame["epoch"] for frame in frames}) == 1


def test_A24_subscribe_answers_with_an_ack_that_echoes_the_id(house):
    with house.join() as socket:
        ack = say(socket, type="subscribe", topics=["user:ada:builds", "news"], id=7)
        assert (ack["type"], ack["id"]) == ("subscribe_ack", 7)
        assert ack["topics"] == ["user:ada:builds", "news"]
        assert ack["all_topics"] == ["user:ada", "user:ada:builds", "news"]


@pytest.mark.parametrize("topic", ["user:bob", "user:bob:x", "user:ada2", "USER:ada", "user:*"])
def test_A24_a_foreign_topic_is_topic_not_allowed_and_nothing_else(house, topic):
    with house.join() as socket:
        frame = say(socket, type="subscribe", topics=[topic], id="a")
        assert (frame["type"], frame["code"]) == ("error", "topic_not_allowed")
        assert (frame["topic"], frame["id"]) == (topic, "a")
        assert silent(socket)


def test_A24_errors_come_before_the_ack(house):
    with house.join() as socket:
        first = say(socket, type="subscribe", topics=["user:bob", "news"])
        assert (first["code"], hear(socket)["topics"]) == ("topic_not_allowed", ["news"])


def test_A24_unsubscribe_ping_and_state_are_answered(house):
    with house.join() as socket:
        assert say(socket, type="unsubscribe", topics=["user:ada"])["type"] == "unsubscribe_ack"
        assert say(socket, type="ping", id=1) == {
            "type": "pong",
            "ts": "2026-01-01T00:00:00+00:00",
            "id": 1,
        }
        assert say(socket, type="state", state="background")["state"] == "background"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("x", "bad_message"),
        ("[]", "bad_message"),
        ("{}", "bad_message"),
        ('{"type":"shout"}', "unknown_message_type"),
        ('{"type":"subscribe"}', "bad_message"),
        ('{"type":"subscribe","topics":"news"}', "bad_message"),
        ('{"type":"state","state":"asleep"}', "bad_message"),
    ],
)
def test_A24_what_is_no_message_gets_an_error_and_the_socket_stays(house, message, code):
    with house.join() as socket:
        socket.send(message)
        assert hear(socket)["code"] == code
        assert silent(socket)


def test_A25_more_than_five_bad_messages_close_4009(house):
    with house.join() as socket:
        for _ in range(6):
            socket.send("x")
        assert [hear(socket)["code"] for _ in range(6)] == ["bad_message"] * 6
        assert closed(socket) == 4009


def test_A25_background_connections_hear_but_do_not_count(house):
    with house.join(query="&state=background") as socket:
        receipt = house.publish()
        assert hear(socket)["toast"]["id"] == receipt["id"]
        assert (receipt["delivered"], receipt["session_count"]) == (False, 0)


def test_A27_a_control_for_one_user(house):
    with house.join("ada") as ada, house.join("bob") as bob:
        house.kit.publish_control("usage.changed", {"left": 3}, user_id="ada")
        assert hear(ada) == {
            "type": "control",
            "control": {
                "kind": "usage.changed",
                "params": {"left": 3},
                "ts": "2026-01-01T00:00:00+00:00",
            },
        }
        assert silent(bob)
    assert house.items() == []


def test_A27_a_control_for_everybody(house):
    with house.join("ada") as ada, house.join("bob") as bob:
        house.kit.publish_control("flags.changed")
        kinds = [hear(socket)["control"]["kind"] for socket in (ada, bob)]
        assert kinds == ["flags.changed"] * 2


def test_A31_only_topics_that_were_subscribed_are_heard(house):
    with house.join() as socket:
        receipt = house.publish(topic="user:ada:builds")
        assert (receipt["delivered"], receipt["reason"]) == (False, "not_subscribed")
        assert silent(socket)
        say(socket, type="subscribe", topics=["user:ada:builds"])
        assert house.publish(topic="user:ada:builds")["delivered"] is True
        assert hear(socket)["topic"] == "user:ada:builds"


def test_A31_bare_user_is_matched_exactly_and_the_wildcard_hears_all_below(house):
    with house.join(default_topics=["user:ada:*"]) as socket:
        for topic in ("user:ada:a", "user:ada:a:b"):
            house.publish(topic=topic)
            assert hear(socket)["topic"] == topic
        assert house.publish(topic="user:ada")["reason"] == "not_subscribed"


def test_A31_a_toast_on_nobodys_topic_reaches_its_user_alone(house):
    with (
        house.join("ada", default_topics=["news"]) as ada,
        house.join("bob", default_topics=["news"]) as bob,
    ):
        house.publish("ada", topic="news")
        assert hear(ada)["topic"] == "news"
        assert silent(bob)


def test_A31_after_unsubscribing_nothing_is_heard(house):
    with house.join() as socket:
        say(socket, type="unsubscribe", topics=["user:ada"])
        assert house.publish()["reason"] == "not_subscribed"
        assert silent(socket)


SERVERS = [("gevent", ["--access-logfile", "-"]), ("werkzeug", [])]


@pytest.mark.plain
@pytest.mark.parametrize(("worker", "options"), SERVERS)
def test_A7_a_ticket_is_a_credential_and_in_no_log(serve, worker, options):
    server = serve(worker, options=options)
    ticket = server.tickets("ada")[0]
    with connect(server.gateway(ticket), close_timeout=2, proxy=None) as socket:
        assert hear(socket)["type"] == "connection_ack"
    assert server.request("GET", f"/v1/realtime?token={ticket}")[0] == 426
    server.stop()
    assert "/v1/realtime?[hidden]" in server.log
    assert ticket not in server.log


@pytest.mark.plain
@pytest.mark.parametrize("worker", ["gevent", "gthread", "werkzeug"])
def test_A14_a_body_without_a_length_is_read_up_to_64_KiB(serve, worker):
    server = serve(worker, TOASTKIT_PUBLISH_SECRET="secret")
    for size, expected in ((60_000, 202), (70_000, 413), (1_000_000, 413)):
        assert _publish_in_chunks(server, size) == expected
    assert server.request("GET", "/health")[0] == 200


def _publish_in_chunks(server, size: int) -> int:
    body = {"user_id": "ada", "topic": "user:ada", "toast": {"title": "x"}, "padding": "x" * size}
    raw = json.dumps(body).encode()
    parts = [raw[start : start + 5000] for start in range(0, len(raw), 5000)]
    headers = {"Authorization": "Bearer secret", "Transfer-Encoding": "chunked"}
    with closing(HTTPConnection(*server.address, timeout=10)) as client:
        # It may be refused before all of it was sent; the answer is there to be read.
        with suppress(BrokenPipeError, ConnectionResetError):
            client.request("POST", PUBLISH, iter(parts), headers, encode_chunked=True)
        return client.getresponse().status


@pytest.mark.plain
def test_A14_a_busy_publisher_does_not_starve_the_others(serve):
    server = serve("gevent", TOASTKIT_PUBLISH_SECRET="secret")
    stop, waits = threading.Event(), []

    def publish() -> None:
        body = {"user_id": "ada", "topic": "user:ada", "toast": {"title": "x"}}
        headers = {"Authorization": "Bearer secret"}
        with closing(HTTPConnection(*server.address, timeout=10)) as client:
            while not stop.is_set():
                client.request("POST", PUBLISH, json.dumps(body), headers)
                client.getresponse().read()

    busy = [threading.Thread(target=publish) for _ in range(4)]
    for thread in busy:
        thread.start()
    for _ in range(50):
        began = time.monotonic()
        assert server.request("GET", "/health")[0] == 200
        waits.append(time.monotonic() - began)
    stop.set()
    for thread in busy:
        thread.join()
    assert sorted(waits)[-5] < 0.5  # some are the machine's


def test_A_22_what_one_page_reads_the_others_hear(house):
    id = house.publish()["id"]
    with house.knock(house.bootstrap()["ws_url"]) as acting, house.join() as other:
        own = {"X_User": "ada", "X_ToastKit": "1", "X_ToastKit_Session": hear(acting)["session_id"]}
        assert house.ask("POST", f"{TOASTS}/{id}/read", **own) == (
            200,
            {"id": id, "unread_count": 0},
        )
        control = hear(other)["control"]
        assert (control["kind"], control["params"]) == ("toast.read", {"id": id})
        assert silent(acting)
        assert house.ask("POST", f"{TOASTS}/read-all", {}, **own)[1] == {
            "read": 0,
            "unread_count": 0,
        }
        assert house.ask("DELETE", f"{TOASTS}/{id}", **own)[0] == 200
        assert hear(other)["control"]["kind"] == "toast.deleted"
    assert house.items() == []
