"""The auth document lived through, with its own curl lines and JSON, against the whole service."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from example_app.settings import DEMO_SECRET

from .conftest import Start, serving
from .test_service import ask, heard, session_of

pytestmark = [
    pytest.mark.plain,
    pytest.mark.skipif(not shutil.which("curl"), reason="curl is missing: install it"),
]

HOST = "https://api.manticscore.com"
SESSION = """
curl -X POST https://api.manticscore.com/auth/session \\
  -H "Authorization: Bearer <clerk_jwt>"
"""
PROJECTS = """
curl https://api.manticscore.com/projects \\
  -H "Authorization: Bearer ms_sess_a1b2c3d4e5f6..."
"""
LOGOUT = """
curl -X DELETE https://api.manticscore.com/auth/session \\
  -H "Authorization: Bearer ms_sess_a1b2c3d4e5f6..."
"""
BOOTSTRAP = """
curl https://api.manticscore.com/auth/bootstrap \\
  -H "Authorization: Bearer ms_sess_a1b2c3d4e5f6..."
"""
ANONYMOUS = """
curl -X POST https://api.manticscore.com/auth/anonymous \\
  -H "Content-Type: application/json" \\
  -d '{"device_id": "<device_id>"}'
"""
REBIND = """
curl -X POST https://api.manticscore.com/auth/rebind \\
  -H "Authorization: Bearer <authenticated_session_token>" \\
  -H "Content-Type: application/json" \\
  -d '{"device_id": "<device_id>"}'
"""
TOKENS = re.compile(
    "<clerk_jwt>|<authenticated_session_token>|ms_sess_a1b2c3d4e5f6[.]{3}|<toast_publish_secret>"
)
DEVICE = "8a3c1e0e-5a0c-4c25-9f43-0a4a6d1f6c11"


@pytest.fixture(scope="module")
def base(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    instance = tmp_path_factory.mktemp("day") / "instance"
    service = start("-m", "example_app", INSTANCE_PATH=str(instance), RATE_LIMITS="0")
    with serving(service) as base:
        yield base


class Curl:
    """Run the document's lines against the service: only host, token and device are changed."""

    def __init__(self, base: str) -> None:
        self.base = base

    def command(self, line: str, token: str, device: str, *more: str) -> list[str]:
        line = line.strip().replace(HOST, self.base).replace("<device_id>", device)
        line = f"{TOKENS.sub(token, line)} -sS {' '.join(more)}"
        return ["bash", "-c", line]

    def __call__(self, line: str, token: str = "", device: str = DEVICE) -> tuple[int, Any]:
        """Return status and body of one line."""
        command = self.command(line, token, device, "-w", r"'\n%{http_code}'")
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        body, _, status = done.stdout.rpartition("\n")
        return int(status), json.loads(body)


@pytest.fixture
def curl(base: str) -> Curl:
    return Curl(base)


def jwt(base: str, name: str) -> str:
    return str(ask(f"{base}/demo/sign-in", {"name": name})["jwt"])


def test_B1_B2_B5_a_session_from_its_first_to_its_last_call(curl: Curl, base: str) -> None:
    status, opened = curl(SESSION, jwt(base, "ada"))
    assert (status, opened["expires_in"]) == (200, 1800)
    assert set(opened) == {"token", "expires_in"}
    assert opened["token"].startswith("ms_sess_")
    assert curl(PROJECTS, opened["token"])[0] == 200
    assert curl(LOGOUT, opened["token"]) == (200, {"success": True})
    for line in (PROJECTS, LOGOUT, BOOTSTRAP):
        status, refused = curl(line, opened["token"])
        assert (status, refused["detail"]) == (401, "Invalid token: session revoked")


def test_B1_a_session_token_mints_none(curl: Curl, base: str) -> None:
    status, refused = curl(SESSION, session_of(base, "ada"))
    assert (status, refused["detail"]) == (401, "Invalid token: expected a Clerk JWT")


def test_B6_the_documents_own_bootstrap(curl: Curl, base: str) -> None:
    status, told = curl(BOOTSTRAP, session_of(base, "fresh"))
    assert status == 200
    assert set(told) == {"profile", "subscription", "secrets"}
    assert set(told["profile"]) == {"name", "email", "plan", "credits_used", "credits_total"}
    assert set(told["subscription"]) == {"plan", "credits_used", "credits_total"}
    assert set(told["secrets"]) == {"has_github_pat", "has_anthropic_key"}
    assert told["profile"]["plan"] == told["subscription"]["plan"] == "free"


def test_B7_to_B12_a_visitor_signs_in(curl: Curl, base: str) -> None:
    status, begun = curl(ANONYMOUS)
    assert (status, begun["expires_in"]) == (200, 1800)
    assert begun["token"].startswith("ms_sess_")
    made = ask(f"{base}/projects", {"name": "Begun before I signed in"}, begun["token"])
    ada = session_of(base, "ada-of-rebind")
    status, rebound = curl(REBIND, ada)
    assert status == 200
    assert set(rebound) == {"rebound", "rows_updated", "anon_uuid"}
    assert rebound["rebound"] is True
    assert rebound["rows_updated"] >= 1
    mine = curl(PROJECTS, ada)[1]
    assert made["id"] in [each["id"] for each in mine["items"]]
    again = {"rebound": False, "rows_updated": 0, "anon_uuid": rebound["anon_uuid"]}
    assert curl(REBIND, ada) == (200, again)
    assert curl(PROJECTS, begun["token"])[0] == 401


def test_B12_nothing_to_rebind(curl: Curl, base: str) -> None:
    nothing = {"rebound": False, "rows_updated": 0, "anon_uuid": None}
    assert curl(REBIND, session_of(base, "ada"), "never-seen-before") == (200, nothing)


def test_B13_B14_who_may_not_rebind(curl: Curl, base: str) -> None:
    anonymous = curl(ANONYMOUS, device="of-two")[1]["token"]
    text = "Rebind requires an authenticated user token; got anonymous session"
    status, refused = curl(REBIND, anonymous, "of-two")
    assert (status, refused["detail"]) == (401, text)
    assert curl(REBIND, session_of(base, "first"), "of-two")[0] == 200
    status, refused = curl(REBIND, session_of(base, "second"), "of-two")
    assert status == 409
    assert refused["detail"] == "device of-two already rebound to a different user"


@pytest.mark.parametrize(
    ("line", "token", "detail"),
    [
        (ANONYMOUS, "", "device_id required"),
        (REBIND, "session", "device_id and clerk_user_id required"),
    ],
)
def test_B8_B15_the_device_id_is_required(
    curl: Curl, base: str, line: str, token: str, detail: str
) -> None:
    bearer = session_of(base, "ada") if token else ""
    for without in (line.replace('"device_id": "<device_id>"', ""), line):
        status, refused = curl(without, bearer, device="")
        assert (status, refused["detail"]) == (422, detail)


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        ("", "Missing Bearer token"),
        ("Authorization: Bearer ", "Missing Bearer token"),
        ("Authorization: Bearer ms_sess_tampered", "Invalid token: unknown session"),
        ("Authorization: bearer  x.y.z", "Invalid token: not a JWT"),
    ],
)
def test_B17_the_table_of_errors(curl: Curl, base: str, header: str, detail: str) -> None:
    line = PROJECTS.replace("Authorization: Bearer ms_sess_a1b2c3d4e5f6...", header or "X-None: 1")
    status, refused = curl(line)
    assert (status, refused["detail"]) == (401, detail)


STREAM = """
curl -N https://api.manticscore.com/v1/toasts/stream \\
  -H "Authorization: Bearer ms_sess_a1b2c3d4e5f6..."
"""


def test_B5_a_stream_and_a_socket_end_with_their_session(curl: Curl, base: str) -> None:
    token = session_of(base, "streamer")
    ticket = ask(f"{base}/v1/sessions/toast-bootstrap", {}, token)
    stream = subprocess.Popen(
        curl.command(STREAM, token, ""), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert stream.stdout is not None
    assert json.loads(stream.stdout.readline())["type"] == "connection_ack"
    with connect(ticket["ws_url"], open_timeout=10) as socket:
        assert heard(socket)["type"] == "connection_ack"
        toast = {"user_id": "streamer", "topic": "user:streamer", "toast": {"title": "both"}}
        receipt = ask(f"{base}/v1/toasts/publish", toast, DEMO_SECRET)
        assert receipt["session_count"] == 2
        assert heard(socket)["toast"]["id"] == receipt["id"]
        line = next(line for line in stream.stdout if '"toast"' in line)
        assert json.loads(line)["toast"]["id"] == receipt["id"]
        assert curl(LOGOUT, token)[0] == 200
        with pytest.raises(ConnectionClosed) as closed:
            deque(iter(lambda: socket.recv(5), None), maxlen=0)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4001
    rest, errors = stream.communicate(timeout=5)
    assert errors == ""
    assert json.loads(rest.splitlines()[-1])["code"] == 4001


def test_A27_acts_that_tell_controls(curl: Curl, base: str, tmp_path: Path) -> None:
    token = session_of(base, "spender")
    ticket = ask(f"{base}/v1/sessions/toast-bootstrap", {}, token)
    with connect(ticket["ws_url"], open_timeout=10) as socket:
        heard(socket)
        before = curl(BOOTSTRAP, token)[1]["profile"]["credits_total"]
        ask(f"{base}/v1/admin/credits", {"user_id": "spender", "credits": 5}, DEMO_SECRET)
        control = heard(socket)
        assert (control["type"], control["control"]["kind"]) == ("control", "usage.changed")
        usage = PROJECTS.replace("/projects", "/v1/usage")
        assert curl(usage, token)[1]["credits_total"] == before + 5
        assert curl(BOOTSTRAP, token)[1]["profile"]["credits_total"] == before + 5
