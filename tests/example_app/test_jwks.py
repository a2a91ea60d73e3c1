"""Fetch keys from a server that may be anything."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from example_app import jwks
from toastkit.errors import ConfigError

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


@contextmanager
def server(answer: Answer) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}/jwks.json"
        serving.shutdown()
        thread.join()


def page(body: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def test_a_document_is_fetched() -> None:
    document = {"keys": [{"kid": "a"}]}
    with server(page(json.dumps(document).encode())) as url:
        assert jwks.fetch(url) == document


@pytest.mark.parametrize(
    "answer",
    [
        page(b"<html>"),
        page(b"[]"),
        page(b"{}"),
        page(b'{"keys": 7}'),
        page(b"\xff"),
        page(b"[" * 100_000),
        page(b'{"keys": []}', 404),
        page(b'{"keys": [' + b" " * jwks.MAX_BYTES + b"]}"),
        page(b"", 302, Location="http://127.0.0.1:1/"),
    ],
)
def test_anything_else_is_one_clear_line(answer: Answer) -> None:
    with server(answer) as url, pytest.raises(ConfigError) as caught:
        jwks.fetch(url)
    assert str(caught.value).startswith(f"CLERK_JWKS_URL={url}: ")
    assert "\n" not in str(caught.value)


def test_nobody_there_is_one_clear_line() -> None:
    with pytest.raises(ConfigError, match="CLERK_JWKS_URL"):
        jwks.fetch("http://127.0.0.1:1/jwks.json")
