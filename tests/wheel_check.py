"""Drive the README's example from an installed wheel: sign in, connect, publish, see the toast.

Run as ``python -I wheel_check.py README.md`` in an environment that holds the wheel, from a folder
that is not the checkout. It needs nothing else.
"""

import contextlib
import http.cookiejar
import importlib
import importlib.util
import json
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HOUSE = ("toastkit", "toastkit_flask", "example_app")
CARRIED = {
    "toastkit": ["py.typed", "storage/migrations", "backplane/redis/lua/history_append.lua"],
    "toastkit_flask": ["py.typed", "static/toastkit.js"],
    "example_app": ["gunicorn.conf.py", "demo/static/page.js", "demo/templates/page.html"],
}


def check_installed() -> None:
    """Make sure that the packages come from the wheel and that nothing was left out of it."""
    for name in HOUSE:
        home = Path(importlib.import_module(name).__file__ or "").parent
        assert home.is_relative_to(sys.prefix), f"{name} is imported from {home}, not the wheel"
        for wanted in CARRIED[name]:
            assert (home / wanted).exists(), f"the wheel lacks {name}/{wanted}"
    # pytest finds it by its name; what it is made of stays in toastkit.
    plugin = importlib.util.find_spec("toastkit_pytest")
    assert plugin, "the wheel lacks the plugin for pytest"
    assert Path(plugin.origin or "").parent == home.parent


def example(readme: Path) -> str:
    """Return the README's first Python block."""
    found = re.search(r"^```python\n(.*?)^```$", readme.read_text(), re.DOTALL | re.MULTILINE)
    assert found, "README.md shows no Python"
    return found[1]


@contextlib.contextmanager
def serving(code: str, place: Path) -> Iterator[str]:
    """Run an app with ``flask run``, yield its address once it listens, and end it."""
    (place / "app.py").write_text(code)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    flask = [sys.executable, "-m", "flask", "--app", str(place / "app.py"), "run"]
    server = subprocess.Popen([*flask, "--port", str(port)])
    try:
        for _ in range(300):
            assert server.poll() is None, f"flask run ended with {server.returncode}"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(15)


class Browser:
    """Keep cookies, and send what a page of the same origin would send."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)

    def ask(self, path: str, body: Any = None) -> bytes:
        headers = {
            "Origin": self.origin,
            "Content-Type": "application/json",
            "X-ToastKit": "1",
        }
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.origin + path, data, headers)
        try:
            with self._opener.open(request, timeout=10) as answer:
                text: bytes = answer.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.code} {error.read()[:500]!r}") from None
        return text


class Listener:
    """Hear what a WebSocket is told; the frames of these few words are their text behind a header.

    Not the client that comes with flask-sock: it leaves a first frame unread that arrives in one
    packet with the answer to its handshake.
    """

    def __init__(self, url: str) -> None:
        address = urllib.parse.urlsplit(url)
        assert address.hostname
        assert address.port
        self.sock = socket.create_connection((address.hostname, address.port), 10)
        self.sock.sendall(
            f"GET {address.path}?{address.query} HTTP/1.1\r\nHost: {address.netloc}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        self.heard = b""

    def wait_for(self, *words: str) -> None:
        """Read until all these words have come."""
        while not all(word.encode() in self.heard for word in words):
            part = self.sock.recv(4096)
            assert part, f"the server went after {self.heard!r}"
            self.heard += part


def see_a_toast(origin: str) -> None:
    """Do what the README promises, and fail if the toast does not come."""
    browser = Browser(origin)
    browser.ask("/login/ada")
    ticket = json.loads(browser.ask("/v1/sessions/toast-bootstrap", {}))
    listener = Listener(ticket["ws_url"])
    with listener.sock:
        listener.wait_for("connection_ack")
        browser.ask("/orders", {})
        listener.wait_for('"type":"toast"', "Order received")


def main() -> None:
    check_installed()
    place = Path.cwd() / "readme_example"
    place.mkdir(exist_ok=True)
    with serving(example(Path(sys.argv[1])), place) as origin:
        see_a_toast(origin)
    print("The README's example works from the wheel.")


if __name__ == "__main__":
    main()
