"""An identity provider's JWKS endpoint on this machine, which may be anything."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import trustme

from tests.verifiers.signing import jwk

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


def page(body: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def document(value: object) -> Answer:
    return page(json.dumps(value).encode())


def raw(*parts: bytes, pause: threading.Event | None = None, seconds: float = 0) -> Answer:
    """Answer with these bytes, one after the other, each after a pause that ``pause`` ends."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        for part in parts:
            handler.wfile.write(part)
            handler.wfile.flush()
            if pause is not None and pause.wait(seconds):
                break

    return answer


class Endpoint:
    """Answer like ``answer``; ``asked`` are the requests that came."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[str] = []
        self.answer: Answer = document({"keys": []})
        self.closing = threading.Event()

    def publish(self, *names: str) -> None:
        self.answer = document({"keys": [jwk(name) for name in names]})

    def fail(self) -> None:
        self.answer = page(b"", 500)

    def hold(self) -> threading.Event:
        """Let every answer wait until the event is set that this returns."""
        go, then = threading.Event(), self.answer

        def held(handler: http.server.BaseHTTPRequestHandler) -> None:
            assert go.wait(30)
            then(handler)

        self.answer = held
        return go


@contextmanager
def endpoint(ca: trustme.CA | None = None) -> Iterator[Endpoint]:
    """Serve one; with ``ca`` it speaks TLS and is called ``localhost``."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here.asked.append(self.path)
            try:
                here.answer(self)
            except OSError:
                self.close_connection = True  # whoever asked has heard enough

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        origin = f"http://127.0.0.1:{server.server_port}"
        if ca is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            ca.issue_cert("localhost").configure_cert(context)
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
            origin = f"https://localhost:{server.server_port}"
        here = Endpoint(f"{origin}/.well-known/jwks.json")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield here
        finally:
            here.closing.set()
            server.shutdown()
            thread.join()
