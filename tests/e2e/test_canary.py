"""Marked secrets go through every door of a server that writes down all it can: none is kept."""

from __future__ import annotations

import json
import secrets
import sqlite3
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.verifiers.forgeries import pem, token

pytestmark = pytest.mark.plain

APP = "tests.e2e.canary_app:create_app()"
DOORS = """
POST /auth/session
DELETE /auth/session
DELETE /auth/sessions
GET /auth/bootstrap
POST /auth/anonymous
POST /auth/rebind
POST /v1/sessions/toast-bootstrap
POST /v1/devices/register-toast
POST /v1/toasts/publish
GET /v1/toasts
POST /v1/toasts/read-all
POST /v1/toasts/x/read
DELETE /v1/toasts/x
GET /v1/devices
DELETE /v1/devices/x
GET /v1/toasts/stream
GET /v1/realtime
GET /health
GET /toastkit/toastkit.js
GET /fails
GET /nowhere
PATCH /auth/session
"""
LOGGED = ("--log-level", "debug", "--access-logfile", "-")


class Canaries:
    """Hold every secret by name, and where it may be told: in the one answer that mints it."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}

    def mark(self, name: str, secret: str | None = None) -> str:
        """Know a secret; one that is not given is made up."""
        self.secrets[name] = secret or f"canary-{name}-{secrets.token_hex(12)}"
        return self.secrets[name]

    def found_in(self, text: str) -> list[str]:
        """Return the names of the secrets that a text holds, or the telling part of."""
        return [name for name, secret in self.secrets.items() if secret[-24:] in text]


def jwt(user: str, life: int = 600) -> str:
    now = int(time.time())
    return token(sub=user, iat=now - 1000, nbf=now - 1000, exp=now + life)


def ask(server: Any, line: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, str]:
    """Make one request, written as its door is; a stream is left after its first line."""
    method, path = line.split()
    link = HTTPConnection(server.host, timeout=20)
    try:
        link.request(method, path, body, headers)
        answer = link.getresponse()
        endless = answer.getheader("Content-Type", "").startswith("application/x-ndjson")
        read = answer.readline() if endless else answer.read()
        return answer.status, f"{answer.headers}{read.decode(errors='replace')}"
    finally:
        link.close()


def bodies(canaries: Canaries) -> list[bytes]:
    """Return bodies that hold what must not be kept, in places where it is wrong."""
    device, secret = canaries.secrets["device"], canaries.secrets["wrong"]
    wrong = {"token": secret, "clerk_jwt": secret, "password": secret, "device_secret": secret}
    return [
        json.dumps(wrong).encode(),
        json.dumps({**wrong, "device_id": device}).encode(),
        json.dumps({"device_id": [device], "clerk_jwt": [secret], "toast": secret}).encode(),
        f'{{"device_id": "{device}", "clerk_jwt": "{secret}"'.encode(),
        b'{"device_id": "' + device.encode() + b'\xff\xed\xa0\x80"}',
        json.dumps({"device_id": device * 20}).encode(),
    ]


def knock(url: str, *said: dict[str, str], **options: Any) -> str:
    """Open a WebSocket, say something, and return all that was heard."""
    heard = ""
    try:
        with connect(url, close_timeout=2, proxy=None, **options) as socket:
            for each in said:
                socket.send(json.dumps(each))
            while True:
                heard += str(socket.recv(timeout=1))
    except (ConnectionClosed, InvalidStatus, TimeoutError, OSError):
        return heard


def kept(file: Path) -> str:
    """Return everything a database holds, and whatever its files still have between the rows."""
    with sqlite3.connect(file) as database:
        dump = "\n".join(database.iterdump())
    raw = b"".join(each.read_bytes() for each in file.parent.glob(f"{file.name}*"))
    return dump + raw.decode("latin-1")


def mint(server: Any, canaries: Canaries) -> dict[str, str]:
    """Get one of each credential; return the bearers by name."""
    canaries.mark("jwt", jwt("ada"))
    canaries.mark("expired-jwt", jwt("ada", life=-500))
    canaries.mark("forged-jwt", f"{jwt('ada').rpartition('.')[0]}.{secrets.token_urlsafe(90)}")
    given = {"Authorization": f"Bearer {canaries.secrets['jwt']}"}
    for name in ("session", "revoked"):
        opened = ask(server, "POST /auth/session", given)[1]
        canaries.mark(name, json.loads(opened[opened.index("{") :])["token"])
    ask(server, "DELETE /auth/session", {"Authorization": f"Bearer {canaries.secrets['revoked']}"})
    body = json.dumps({"device_id": canaries.mark("device")}).encode()
    begun = ask(server, "POST /auth/anonymous", {"Content-Type": "application/json"}, body)[1]
    answer = json.loads(begun[begun.index("{") :])
    canaries.mark("anonymous", answer["token"])
    canaries.mark("device-secret", answer["device_secret"])
    told = ask(server, "POST /v1/sessions/toast-bootstrap", given)[1]
    canaries.mark("ticket", json.loads(told[told.index("{") :])["token"])
    return dict(canaries.secrets)


@pytest.mark.parametrize("worker", ["gevent", "gthread"])
def test_no_secret_is_written_told_or_kept(serve: Any, tmp_path: Path, worker: str) -> None:
    canaries = Canaries()
    settings = {
        "TOASTKIT_PUBLISH_SECRET": canaries.mark("publish"),
        "TOASTKIT_DEVICE_SECRET": "1",
        "CANARY_PEM": pem(),
    }
    server = serve(worker, APP, LOGGED, **settings)
    canaries.mark("wrong")
    bearers = mint(server, canaries)
    told = []
    for door in DOORS.split("\n")[1:-1]:
        if door == "DELETE /auth/sessions":
            continue  # it would end what is marked; its own test knows it
        for secret in bearers.values():
            shown = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
            if secret == bearers["session"] and door == "DELETE /auth/session":
                continue
            told.append((door, *ask(server, door, shown, bodies(canaries)[0])))
        for body in bodies(canaries):
            shown = {"Authorization": f"Basic {bearers['publish']}", "X-ToastKit": "1"}
            told.append((door, *ask(server, door, shown, body)))
    for secret in bearers.values():
        for path in ("v1/realtime", "api/v1/realtime", "V1/realtime", "v1//realtime"):
            url = f"ws://{server.host}/{path}?state=background&token={secret}"
            say = {"type": "refresh", "token": bearers["wrong"]}
            told.append((path, 101, knock(url, say, additional_headers={"Referer": url})))
            told.append((path, *ask(server, f"GET /{path}?token={secret}", {"Referer": url})))
    # A redirect repeats the address that was asked for, to whoever asked for it.
    said = [(door, status, text) for door, status, text in told if status != 308]
    leaks = [
        (door, status, names) for door, status, text in said if (names := _told(canaries, text))
    ]
    assert not leaks
    assert not [door for door, status, _ in told if status == 500 and not door.endswith("/fails")]
    assert server.log.count("this view always fails") >= 2
    assert not canaries.found_in(server.log)
    assert not canaries.found_in(kept(tmp_path / "0.db"))
    server.forgive("this view always fails")


def _told(canaries: Canaries, text: str) -> list[str]:
    # What must be shown to somebody who has it already: a fresh one is none of those known here.
    return [name for name in canaries.found_in(text) if name != "device" or "rebound" not in text]


def test_the_canary_would_be_found(tmp_path: Path) -> None:
    canaries = Canaries()
    secret = canaries.mark("one")
    database = tmp_path / "x.db"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE t (v)")
        connection.execute("INSERT INTO t VALUES (?)", (secret,))
    program = f"import logging; logging.basicConfig(level=10); logging.debug({secret!r})"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert canaries.found_in(kept(database)) == ["one"]
    assert canaries.found_in(ran.stderr) == ["one"]
