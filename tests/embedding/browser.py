"""A browser as far as toastkit meets it: cookies, forms, and the page's toastkit.js."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import HTTPCookieProcessor, Request, build_opener

from websockets.sync.client import ClientConnection, connect
from werkzeug.serving import make_server

SCRIPT = re.compile(r'src="([^"]*)/toastkit/toastkit\.js"')


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve a WSGI app with werkzeug's own server, and say where."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Page:
    """An open page of a signed-in user, which hears."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    def frame(self) -> dict[str, Any]:
        """Wait for the next frame."""
        read: dict[str, Any] = json.loads(self._socket.recv(timeout=10))
        return read

    def title(self) -> str:
        """Wait for the next toast, and return its title."""
        frame = self.frame()
        assert frame["type"] == "toast", frame
        title: str = frame["toast"]["title"]
        return title


class Browser:
    """One person's browser; ``headers`` are what a proxy adds on the way."""

    def __init__(self, url: str, **headers: str) -> None:
        self.url = url
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self._jar = CookieJar()
        self._open = build_opener(HTTPCookieProcessor(self._jar)).open

    def get(self, path: str, **headers: str) -> str:
        return self._ask(Request(urljoin(self.url, path), headers={**self.headers, **headers}))

    def post(self, path: str, **form: str) -> str:
        """Send a form."""
        return self._ask(Request(urljoin(self.url, path), urlencode(form).encode(), self.headers))

    def send(self, method: str, path: str, body: Any) -> Any:
        """Send JSON, and read the answer's."""
        headers = {**self.headers, "Content-Type": "application/json"}
        data = json.dumps(body).encode()
        return json.loads(self._ask(Request(urljoin(self.url, path), data, headers, method=method)))

    def bootstrap(self, path: str) -> dict[str, Any]:
        """Do what ``toastkit.connect()`` does first on a page; it is where its script tag says."""
        base = SCRIPT.search(self.get(path))
        assert base is not None, f"{path} loads no toastkit.js"
        self.get(f"{base[1]}/toastkit/toastkit.js")
        wanted = Request(
            urljoin(self.url, f"{base[1]}/v1/sessions/toast-bootstrap"),
            b"{}",
            {**self.headers, "X-ToastKit": "1", "Content-Type": "application/json"},
        )
        read: dict[str, Any] = json.loads(self._ask(wanted))
        return read

    @contextmanager
    def page(self, path: str) -> Iterator[Page]:
        """Open a page and hear what it hears."""
        offer = self.bootstrap(path)
        there = urlsplit(self.url)
        gateway = urlsplit(offer["ws_url"])._replace(scheme="ws", netloc=there.netloc)
        cookie = "; ".join(f"{each.name}={each.value}" for each in self._jar)
        headers = {**self.headers, "Cookie": cookie}
        with connect(
            gateway.geturl(), additional_headers=headers, proxy=None, close_timeout=2
        ) as socket:
            page = Page(socket)
            assert page.frame()["type"] == "connection_ack"
            yield page

    def _ask(self, wanted: Request) -> str:
        with self._open(wanted, timeout=10) as answer:
            text: str = answer.read().decode()
            return text
