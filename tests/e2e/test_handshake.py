"""Handshakes over real servers: refused ones get a status, never a 500 or a traceback."""

import socket

import pytest

pytestmark = pytest.mark.plain

GOOD = {
    "Host": "localhost",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
CASES = {
    "good": ({}, 101),
    "good, with deflate": ({"Sec-WebSocket-Extensions": "permessage-deflate"}, 101),
    "good, with control characters": ({"Cookie": "a=\x01"}, 101),
    "no version": ({"Sec-WebSocket-Version": None}, 426),
    "another version": ({"Sec-WebSocket-Version": "8"}, 426),
    "no key": ({"Sec-WebSocket-Key": None}, 400),
    "a bad key": ({"Sec-WebSocket-Key": "short"}, 400),
    "no upgrade": ({"Upgrade": None}, 426),
    "a body": ({"Content-Length": "3"}, 400),
    "a broken Host": ({"Host": "xn--zzzz99999999"}, 400),
    "a foreign origin": ({"Origin": "https://elsewhere.example"}, 403),
}


def ask(server, changes):
    """Return the status of one handshake, and the answer's head."""
    headers = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    body = "abc" if "Content-Length" in changes else ""
    with socket.create_connection(server.address, timeout=10) as sock:
        path = f"/api/v1/realtime?token={server.tickets('ada')[0]}"
        sock.sendall(f"GET {path} HTTP/1.1\r\n{lines}\r\n{body}".encode("latin-1"))
        head = b""
        while b"\r\n\r\n" not in head:
            data = sock.recv(4096)
            assert data, head
            head += data
    return int(head.split()[1]), head


@pytest.mark.parametrize("worker", ["gevent", "gthread", "werkzeug"])
def test_every_handshake_gets_its_status(serve, worker):
    server = serve(worker)
    got = {case: ask(server, changes)[0] for case, (changes, _) in CASES.items()}
    # Where gunicorn itself refuses a header it says 400, before any of us sees the request.
    wanted = {case: status for case, (_, status) in CASES.items()}
    if got["good, with control characters"] == 400:
        wanted["good, with control characters"] = 400
    assert got == wanted
    assert server.request("GET", "/health")[0] == 200


def test_a_refused_version_names_ours_and_deflate_is_never_agreed_on(serve):
    server = serve("gthread")
    _, head = ask(server, {"Sec-WebSocket-Version": "8"})
    assert b"sec-websocket-version: 13" in head.lower()
    _, head = ask(server, {"Sec-WebSocket-Extensions": "permessage-deflate"})
    assert b"extensions" not in head.lower()
