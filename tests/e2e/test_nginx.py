"""What the documentation shows of nginx, done with a real one."""

import json
import os
import re
import socket
import ssl
import subprocess
import sys
import urllib.request
from contextlib import ExitStack

import pytest
import trustme
from websockets.sync.client import connect

from tests import nginx, wheel_check
from tests.cluster import Publishing, wait_for
from tests.nginx import Nginx, shown
from tests.pages import PAGES, ROOT, blocks, furnish

pytestmark = [pytest.mark.plain, pytest.mark.skipif(nginx.BINARY is None, reason=nginx.MISSING)]


@pytest.fixture
def serve(tmp_path):
    """Return a maker of servers of a page's Python; each says where it is."""
    with ExitStack() as stack:

        def serve(page, code="", name=""):
            place = tmp_path / (name or "app")
            place.mkdir()
            furnish(page, place)
            code = code or (place / "example.py").read_text()
            return stack.enter_context(wheel_check.serving(code, place)).removeprefix("http://")

        yield serve


@pytest.fixture
def in_front(tmp_path):
    """Return a maker of an nginx."""
    with ExitStack() as stack:
        yield lambda *given, **named: stack.enter_context(Nginx(tmp_path, *given, **named))


class Browser(wheel_check.Browser):
    """A browser that believes an authority."""

    def __init__(self, origin, believed):
        super().__init__(origin)
        https = urllib.request.HTTPSHandler(context=believed)
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(), https)


def sees_a_toast(browser, origin, prefix="", **given):
    """Sign in, connect, order; return where the socket is."""
    browser.ask(f"{prefix}/login/ada", {})
    ticket = json.loads(browser.ask(f"{prefix}/v1/sessions/toast-bootstrap", {}))
    assert ticket["ws_url"].startswith(f"{origin.replace('http', 'ws', 1)}{prefix}/")
    with connect(ticket["ws_url"], proxy=None, **given) as client:
        assert json.loads(client.recv(timeout=10))["type"] == "connection_ack"
        browser.ask(f"{prefix}/orders", {})
        assert json.loads(client.recv(timeout=10))["toast"]["title"] == "Order received"


def test_it_ends_tls_and_lets_a_toast_through(tmp_path, serve, in_front):
    authority, believed = trustme.CA(), ssl.create_default_context()
    authority.configure_trust(believed)
    made, files = authority.issue_cert("127.0.0.1"), (tmp_path / "cert.pem", tmp_path / "key.pem")
    made.cert_chain_pems[0].write_to_path(files[0])
    made.private_key_pem.write_to_path(files[1])
    front = in_front(shown(), serve("howto/nginx.rst"), tls=files)
    origin = f"https://{front.host}"
    sees_a_toast(Browser(origin, believed), origin, ssl=believed)


def test_below_a_path_of_another_site(serve, in_front):
    page = PAGES["howto/nginx.rst"]
    [below] = re.findall(r"``(location /shop/ \{ .*?) *\.\.\.\}``", page)
    [header] = re.findall(r"``(proxy_set_header\s+X-Forwarded-Prefix .*?;)``", page)
    config = re.sub(r"location / \{\n +proxy_pass .*;\n", f"{below} {header}\n", shown())
    fix = "app.wsgi_app = ProxyFix(app.wsgi_app.app, x_for=1, x_proto=1, x_prefix=1)"
    front = in_front(config, serve("howto/nginx.rst", f"from example import *\n{fix}\n"))
    origin = f"http://{front.host}"
    browser = wheel_check.Browser(origin)
    sees_a_toast(browser, origin, "/shop")
    assert b"toastkit" in browser.ask("/shop/toastkit/toastkit.js")


def test_pages_in_many_processes_and_sockets_in_one(tmp_path, serve, in_front):
    url = f"sqlite:///{tmp_path}/toasts.db"
    sockets, web = (
        serve("howto/workers.rst", f"from example import {make}\napp = {make}({url!r})\n", make)
        for make in ("create_sockets", "create_web")
    )
    [split] = [text for _, text in blocks("howto/workers.rst", "text") if "proxy_pass" in text]
    proxied = re.search(r"proxy_pass .*;\n((?:.*\n)*?) +\}", shown())[1]
    (tmp_path / "proxy.conf").write_text(proxied)
    inside = split.replace("127.0.0.1:8001", sockets)
    config = shown()[: shown().index("    location")] + inside + "}\n"
    front = in_front(config, web)
    origin = f"http://{front.host}"
    sees_a_toast(wheel_check.Browser(origin), origin)


class From(Publishing):
    """A client at another address of this machine."""

    def status(self, path, source, body=b'{"device_id": "d"}'):
        with socket.create_connection(self.address, 10, (source, 0)) as sock:
            sock.sendall(
                f"POST {path} HTTP/1.1\r\nHost: {self.host}\r\nConnection: close\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            with sock.makefile("rb") as answer:
                return int(answer.readline().split()[1])


@pytest.fixture
def service(tmp_path):
    """Run the service as the documentation says for one behind a proxy; return where it is."""
    (tmp_path / "service").mkdir()
    place = furnish("deploying.rst", tmp_path / "service")
    given = {"HOME": str(place), "PATH": os.environ["PATH"], "PYTHONPATH": f"{place}:{ROOT}"}
    given |= {"CLERK_JWKS_URL": "http://127.0.0.1:1/", "CLERK_ISSUER": "https://clerk.example.com"}
    given |= {
        "CLERK_AUTHORIZED_PARTIES": "https://app.example.com",
        "TOASTKIT_ANONYMOUS_RATE": "2/minute",
    }
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number, at = listener.fileno(), From(listener.getsockname())
        command = ["-m", "gunicorn", "-c", str(ROOT / "example_app" / "gunicorn.conf.py")]
        process = subprocess.Popen(
            [sys.executable, *command, "-b", f"fd://{number}", "behind_proxy:app"],
            cwd=place,
            env=given,
            pass_fds=[number],
        )
    try:
        wait_for(lambda: at.request("GET", "/health")[0] == 200)
        yield at
    finally:
        process.terminate()
        process.wait(10)


def test_the_service_counts_each_client_for_itself_and_hides_its_metrics(service, in_front):
    [(_, hidden)] = blocks("metrics.rst", "nginx")
    config = shown().replace("    location / {", f"    {hidden}\n    location / {{")
    front = From(in_front(config, service.host).address)
    path = "/auth/anonymous"
    assert [front.status(path, "127.0.0.1") for _ in range(3)] == [200, 200, 429]
    assert front.status(path, "127.0.0.2") == 200
    metrics = "/api/metrics/prometheus"
    assert [at.request("GET", metrics)[0] for at in (service, front)] == [200, 404]
    assert front.request("GET", "/health") == (200, {"status": "ok"})
    big = b'{"device_id": "' + b"d" * 70_000 + b'"}'
    assert front.status(path, "127.0.0.3", big) == 413
