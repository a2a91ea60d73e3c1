"""A rebind is told to a PostHog that answers anything, or nothing."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from flask import Flask
from msgspec.structs import replace

from example_app.factory import create_app
from example_app.posthog import PostHogSender, alias_sender
from example_app.settings import PostHog
from tests.publishing.test_deliveries import eventually
from toastkit import Kit, ids
from toastkit.deliveries import Delivery, Later, Refusal, Sent
from toastkit.senders import RecordingSender

ANON = "0d9b1c9e-1c5f-4c39-9a41-5a3a1f6b7c11"
AT = 1_767_225_600_000
KEY = "phc_secret"
DEVICE = "device-of-a-visitor"

Answers = list[tuple[int, dict[str, str], bytes]]


class Place:
    """Be PostHog: give these answers, one after another, then 200; remember what was said."""

    def __init__(self) -> None:
        self.answers: Answers = []
        self.said: list[tuple[str, dict[str, Any]]] = []
        place = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                place.said.append((self.path, json.loads(body)))
                status, headers, text = place.answers.pop(0) if place.answers else OK
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"http://127.0.0.1:{self.server.server_port}"


OK: tuple[int, dict[str, str], bytes] = (200, {}, b'{"status": 1}')


@pytest.fixture
def place() -> Iterator[Place]:
    place = Place()
    thread = threading.Thread(target=place.server.serve_forever)
    thread.start()
    yield place
    place.server.shutdown()
    thread.join()
    place.server.server_close()


@pytest.fixture
def sender(place: Place) -> PostHogSender:
    return PostHogSender(PostHog(api_key=KEY, host=place.host), timeout=5)


def delivery() -> Delivery:
    payload = {"anon_uuid": ANON, "user_id": "ada", "rows_updated": 3, "at": AT}
    return Delivery(
        id=ids.delivery_id(AT),
        kind="identity.rebound",
        target="",
        payload=payload,
        created_at=AT,
        expires_at=AT + 1000,
    )


def test_B16_the_alias_says_that_the_visitor_is_the_user(
    place: Place, sender: PostHogSender
) -> None:
    owed = delivery()
    assert sender.post(owed) == Sent('200 {"status": 1}')
    [(path, event)] = place.said
    assert path == "/capture/"
    assert {name: value for name, value in event.items() if name != "uuid"} == {
        "api_key": KEY,
        "event": "$create_alias",
        "distinct_id": "ada",
        "properties": {"distinct_id": "ada", "alias": ANON},
        "timestamp": "2026-01-01T00:00:00+00:00",
    }


def test_a_second_attempt_is_known_by_its_uuid(place: Place, sender: PostHogSender) -> None:
    owed = delivery()
    for each in (owed, replace(owed, attempts=1), delivery()):
        sender.post(each)
    first, second, other = (event["uuid"] for _, event in place.said)
    assert first == second != other


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_is_never_taken_is_refused(place: Place, sender: PostHogSender, status: int) -> None:
    place.answers = [(status, {}, b"bad event" + b"x" * 10_000)]
    outcome = sender.post(delivery())
    assert isinstance(outcome, Refusal)
    assert outcome.answer.startswith(f"{status} bad eventxxx")
    assert len(outcome.answer) < 400


@pytest.mark.parametrize("status", [301, 302, 307, 308, 401, 403, 404, 408, 429, 500, 502, 503])
def test_what_time_or_an_operator_can_mend_is_tried_again(
    place: Place, sender: PostHogSender, status: int
) -> None:
    place.answers = [(status, {"Location": f"{place.host}/elsewhere/"}, b"not now")]
    assert sender.post(delivery()) == Later(f"{status} not now")
    assert len(place.said) == 1  # nobody was followed


@pytest.mark.parametrize(
    ("named", "seconds"), [("120", 120), (" 7 ", 7), ("soon", None), ("-1", None), ("1e9", None)]
)
def test_a_pause_that_is_named_is_passed_on(
    place: Place, sender: PostHogSender, named: str, seconds: float | None
) -> None:
    place.answers = [(429, {"Retry-After": named}, b"")]
    assert sender.post(delivery()) == Later("429 ", seconds)


@pytest.fixture
def odd() -> Iterator[Callable[[bytes | None], PostHogSender]]:
    """Answer with these bytes and hang up, or (``None``) not at all."""
    listening: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(said: bytes | None) -> PostHogSender:
        server = socket.create_server(("127.0.0.1", 0))
        listening.append(server)

        def answer() -> None:
            client, _ = server.accept()
            listening.append(client)
            client.recv(65536)
            if said is not None:
                client.sendall(said)
                client.shutdown(socket.SHUT_RDWR)

        threads.append(threading.Thread(target=answer))
        threads[-1].start()
        host = f"http://127.0.0.1:{server.getsockname()[1]}"
        return PostHogSender(PostHog(api_key=KEY, host=host), timeout=0.3)

    yield start
    for thread in threads:
        thread.join()
    for each in listening:
        each.close()


@pytest.mark.parametrize("said", [None, b"", b"hello\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_silence_and_nonsense_are_tried_again(odd: Any, said: bytes | None) -> None:
    outcome = odd(said).post(delivery())
    assert isinstance(outcome, Later)
    assert outcome.seconds is None
    assert KEY not in outcome.answer


def test_what_was_taken_was_taken_though_the_rest_never_came(odd: Any) -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nparti"
    assert odd(said).post(delivery()) == Sent("200 parti")


def test_nobody_there_is_tried_again() -> None:
    sender = PostHogSender(PostHog(api_key=KEY, host="http://127.0.0.1:1"))
    assert isinstance(sender.post(delivery()), Later)


def test_without_settings_it_is_only_recorded() -> None:
    assert isinstance(alias_sender(None), RecordingSender)


@pytest.fixture
def service(place: Place, tmp_path: Any) -> Iterator[Flask]:
    app = create_app(
        {
            "TOASTKIT_DEMO": "1",
            "INSTANCE_PATH": str(tmp_path),
            "POSTHOG_API_KEY": KEY,
            "POSTHOG_HOST": f"{place.host}/",
            "TOASTKIT_SWEEP_MS": "20",
        }
    )
    yield app
    kit: Kit = app.extensions["toastkit"].kit
    kit.close()


def test_B16_the_alias_outlasts_a_posthog_that_is_away(service: Flask, place: Place) -> None:
    place.answers = [(500, {}, b"oops"), (429, {"Retry-After": "1"}, b"slow down")]
    client = service.test_client()
    assert client.get("/health").status_code == 200
    kit: Kit = service.extensions["toastkit"].kit
    kit.identity.anonymous.begin(DEVICE)
    rebound = kit.identity.anonymous.rebind("ada", DEVICE)
    assert rebound.anon_uuid
    eventually(lambda: kit.deliveries.recent(state="sent"), 20)
    assert [event["properties"]["alias"] for _, event in place.said] == [rebound.anon_uuid] * 3
    assert len({event["uuid"] for _, event in place.said}) == 1
    assert DEVICE not in json.dumps(place.said)
