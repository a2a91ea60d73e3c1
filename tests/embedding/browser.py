"""A browser as far as toastkit meets it: cookies, forms, and the page's toastkit.js."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

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

    def frame(self, seconds: float = 10) -> dict[str, Any]:
        """Wait for the next frame."""
        read: dict[str, Any] = json.loads(self._socket.recv(timeout=seconds))
        return read

    def title(self, seconds: float = 10) -> str:
        """Wait for the next toast, and return its title."""
        frame = self.frame(seconds)
        assert frame["type"] == "toast", frame
        title: str = frame["toast"]["title"]
        return title


class Browser:
    """One person's browser, and with ``headers`` and ``prefix`` the proxy in front of the app.

    What the proxy is said to be by ``X-Forwarded-Host`` is not looked up: the app is at ``url``.
    """

    def __init__(
        self, url: str, *, prefix: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        self.url = url
        self.prefix = prefix
        self.headers = dict(headers or {})
        self._jar = SimpleCookie()

    def get(self, path: str) -> str:
        return self._follow("GET", path, None, {})

    def post(self, path: str, **form: str) -> str:
        """Send a form."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._follow("POST", path, urlencode(form).encode(), kind)

    def send(self, method: str, path: str, body: Any, **headers: str) -> Any:
        """Send JSON, and read the answer's."""
        headers = {"Content-Type": "application/json", **headers}
        return json.loads(self._follow(method, path, json.dumps(body).encode(), headers))

    def bootstrap(self, path: str) -> dict[str, Any]:
        """Do what ``toastkit.connect()`` does first on a page; it is where its script tag says."""
        base = SCRIPT.search(self.get(path))
        assert base is not None, f"{path} loads no toastkit.js"
        self.get(f"{base[1]}/toastkit/toastkit.js")
        where = f"{base[1]}/v1/sessions/toast-bootstrap"
        read: dict[str, Any] = self.send("POST", where, {}, **{"X-ToastKit": "1"})
        return read

    @contextmanager
    def page(self, path: str) -> Iterator[Page]:
        """Open a page and hear what it hears."""
        offered = urlsplit(self.bootstrap(path)["ws_url"])
        where = offered._replace(
            scheme="ws", netloc=urlsplit(self.url).netloc, path=self._behind(offered.path)
        ).geturl()
        headers = {**self.headers, "Cookie": self._cookie()}
        with connect(where, additional_headers=headers, proxy=None, close_timeout=2) as socket:
            page = Page(socket)
            assert page.frame()["type"] == "connection_ack"
            yield page

    def _follow(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> str:
        there = HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        with closing(there):
            sent = {**self.headers, **headers, "Cookie": self._cookie()}
            there.request(method, self._behind(path), body, sent)
            answer = there.getresponse()
            text = answer.read().decode()
        for line in answer.headers.get_all("Set-Cookie", []):
            self._jar.load(line)
        assert answer.status < 400, (method, path, answer.status, text)
        if answer.status in (302, 303):
            return self._follow("GET", str(answer.headers["Location"]), None, {})
        return text

    def _behind(self, path: str) -> str:
        """Take the prefix off a path, as the proxy does."""
        assert path.startswith(f"{self.prefix}/"), path
        return path.removeprefix(self.prefix)

    def _cookie(self) -> str:
        return "; ".join(f"{name}={each.value}" for name, each in self._jar.items())
