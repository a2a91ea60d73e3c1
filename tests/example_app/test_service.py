"""The whole service as a process: what an operator starts, and what the documents' curl lines say."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from example_app.service import banner
from example_app.settings import APNS, DEMO_SECRET, VARIABLES, Settings

from .conftest import ROOT, Start, serving

pytestmark = pytest.mark.plain

MODULE = ("-m", "example_app")
GUNICORN = (
    "-m",
    "gunicorn",
    "-c",
    str(ROOT / "example_app/gunicorn.conf.py"),
    "example_app.wsgi:app",
)


CLERKS = {
    "CLERK_JWKS_URL": "http://127.0.0.1:9/jwks.json",
    "CLERK_ISSUER": "https://clerk.example",
    "CLERK_AUTHORIZED_PARTIES": "https://a.example",
}


def ask(url: str, body: object = None, bearer: str = "") -> Any:
    """Send JSON as the documents' clients do; return the answer."""
    headers = {"Content-Type": "application/json"} | (
        {"Authorization": f"Bearer {bearer}"} if bearer else {}
    )
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=10) as answer:
        return json.load(answer)


def session_of(base: str, name: str) -> str:
    signed = ask(f"{base}/demo/sign-in", {"name": name})
    return str(ask(f"{base}/auth/session", {}, signed["jwt"])["token"])


@contextlib.contextmanager
def listen(base: str, name: str) -> Iterator[ClientConnection]:
    """Go the documents' way: JWT, session, bootstrap, socket, greeting."""
    ticket = ask(f"{base}/v1/sessions/toast-bootstrap", {}, session_of(base, name))
    with connect(ticket["ws_url"], open_timeout=10) as connection:
        assert heard(connection)["type"] == "connection_ack"
        yield connection


def heard(connection: ClientConnection) -> Any:
    return json.loads(connection.recv(10))


def refused(process: subprocess.Popen[str]) -> tuple[int, str]:
    output, errors = process.communicate(timeout=30)
    assert output == ""
    assert errors.count("\n") == 1
    return process.returncode, errors


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("service") / "instance"


@pytest.fixture(scope="module")
def base(start: Start, instance: Path) -> Iterator[str]:
    with serving(start(*MODULE, INSTANCE_PATH=str(instance))) as base:
        yield base


def test_a_publish_sent_with_curl_is_shown_at_once(base: str) -> None:
    curl = shutil.which("curl") or pytest.skip("curl is not installed")
    with listen(base, "user_2abcXYZ") as connection:
        body = {
            "user_id": "user_2abcXYZ",
            "topic": "user:user_2abcXYZ",
            "toast": {"title": "Research complete", "body": "AI expense tracker for freelancers"},
        }
        command = [
            *(curl, "-sS", "-X", "POST", f"{base}/v1/toasts/publish"),
            *("-H", f"Authorization: Bearer {DEMO_SECRET}"),
            *("-H", "Content-Type: application/json", "-d", json.dumps(body)),
        ]
        receipt = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        frame = heard(connection)
        listed = ask(f"{base}/v1/toasts", None, session_of(base, "user_2abcXYZ"))
    assert (receipt["delivered"], receipt["transport"], receipt["session_count"]) == (
        True,
        "websocket",
        1,
    )
    assert frame["type"] == "toast"
    assert frame["toast"]["title"] == "Research complete"
    assert frame["toast"]["id"] == receipt["id"] == listed["items"][0]["id"]


def test_a_control_reaches_the_page(base: str) -> None:
    with listen(base, "ada") as connection:
        ask(f"{base}/v1/admin/credits", {"user_id": "ada", "credits": 5}, DEMO_SECRET)
        assert heard(connection)["control"]["kind"] == "usage.changed"


@pytest.mark.parametrize("program", [MODULE, GUNICORN], ids=["module", "gunicorn"])
def test_sigterm_tells_the_client_and_ends_cleanly(start: Start, program: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = start(*program, TOASTKIT_DEMO="1", PORT=str(port))
    base = f"http://127.0.0.1:{port}"
    ready(base)
    with listen(base, "ada") as connection:
        process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed):
            connection.recv(10)
    assert connection.close_code == 1012
    assert process.wait(30) == 0
    assert "Traceback" not in process.communicate()[1]


def test_the_banner_says_where_and_what_demo_mode_is() -> None:
    settings = Settings.read({"TOASTKIT_DEMO": "1", "RELAY_APP_ID": "r"})
    told = banner(settings, ("::1", 8000, 0, 0))
    assert "http://[::1]:8000/" in told
    assert "anyone on this machine may sign in as anyone" in told
    assert "Pushes to phones are recorded, and shown on the page" in told
    assert "RELAY_APP_ID is set, but not used by this version" in told


def test_the_banner_says_where_pushes_go() -> None:
    given = dict.fromkeys(APNS, "x") | {"APNS_HOST": "127.0.0.1:2197"}
    told = banner(Settings.read(given | {"TOASTKIT_DEMO": "1"}), ("::1", 8000, 0, 0))
    assert "Pushes to phones go to 127.0.0.1:2197." in told
    assert "recorded" not in told


def test_what_it_keeps_is_for_this_user_alone(base: str, instance: Path) -> None:
    assert instance.stat().st_mode & 0o777 == 0o700
    assert {"toastkit.db", "demo-key.pem"} <= set(os.listdir(instance))


def test_help_explains_every_variable(start: Start) -> None:
    told = start(*MODULE, "--help").communicate(timeout=30)[0]
    assert all(variable.name in told for variable in VARIABLES)


def test_a_port_in_use_is_one_clear_line(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, line = refused(start(*MODULE, PORT=port))
    assert code == 2
    assert f"127.0.0.1:{port}" in line


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"WEB_CONCURRENCY": "2"}, "set REDIS_URL"),
        ({"CLERK_ISSUER": "https://clerk.example"}, "CLERK_JWKS_URL"),
        ({"HOST": "no.such.host.invalid", "TOASTKIT_DEMO": "1"}, "no.such.host.invalid"),
        ({"INSTANCE_PATH": "/dev/null/x"}, "INSTANCE_PATH"),
        ({"TOASTKIT_SURFACES": "socials"}, "socials"),
        ({"DATABASE_URL": "nonsense"}, "database_url"),
        ({"APNS_KEY_FILE": "AuthKey.p8"}, "APNS_TEAM_ID, APNS_KEY_ID missing"),
        (dict.fromkeys(APNS, "nowhere"), "nowhere cannot be read"),
        (dict.fromkeys(APNS, "nowhere") | CLERKS, "nowhere cannot be read"),
    ],
)
def test_a_bad_setting_is_one_clear_line(start: Start, given: dict[str, str], named: str) -> None:
    code, line = refused(start(*MODULE, **given))
    assert code == 2
    assert named in line


@pytest.mark.parametrize("program", [("-c", "import example_app.wsgi"), GUNICORN])
def test_wsgi_without_an_identity_provider_does_not_start(
    start: Start, program: tuple[str, ...]
) -> None:
    code, line = refused(start(*program))
    assert code != 0
    assert "nobody could sign in" in line


def test_gunicorn_is_not_told_to_start_several_workers(start: Start) -> None:
    process = start(*GUNICORN, "-w", "2", TOASTKIT_DEMO="1")
    said = process.communicate(timeout=30)[1]
    assert process.returncode != 0
    assert "-w 2: several workers need Redis between them" in said
    assert "Traceback" not in said
    assert "Booting worker" not in said


def test_a_signal_adds_no_worker_that_nobody_hears(start: Start) -> None:
    process = start(*GUNICORN, TOASTKIT_DEMO="1")
    assert process.stderr is not None
    booted = 0
    for line in process.stderr:
        booted += "Booting worker" in line
        if "Booting worker" in line:
            process.send_signal(signal.SIGTTIN)
        if "one worker is left" in line:
            process.send_signal(signal.SIGTERM)
    assert booted == 1
    assert process.wait(30) == 0


def test_the_log_is_json_where_that_was_asked_for(start: Start) -> None:
    process = start(*MODULE, LOG_FORMAT="json", TOASTKIT_DEMO="1", TOASTKIT_CONFRIM_MS="9")
    assert process.stdout is not None
    banner = json.loads(process.stdout.readline())
    assert (banner["level"], banner["logger"]) == ("info", "example_app")
    assert "DEMO MODE" in banner["message"]
    process.send_signal(signal.SIGTERM)
    told = [json.loads(line) for line in process.communicate(timeout=30)[1].splitlines()]
    assert [each["logger"] for each in told] == ["py.warnings"]
    assert "did you mean TOASTKIT_CONFIRM_MS?" in told[0]["message"]


@pytest.mark.parametrize("program", [MODULE, GUNICORN, ("-c", "import example_app.wsgi")])
def test_why_it_does_not_start_is_json_too(start: Start, program: tuple[str, ...]) -> None:
    _, line = refused(start(*program, LOG_FORMAT="json", APNS_KEY_FILE="k.p8"))
    found = json.loads(line)
    assert (found["level"], found["logger"]) == ("error", "example_app")
    assert found["message"]


def test_gunicorns_own_log_is_json_too(start: Start) -> None:
    process = start(
        *GUNICORN, "-w", "2", "--access-logfile", "-", TOASTKIT_DEMO="1", LOG_FORMAT="json"
    )
    told = [json.loads(line) for line in process.communicate(timeout=30)[1].splitlines()]
    assert {each["logger"] for each in told} == {"gunicorn.error", "example_app"}


def ready(base: str) -> None:
    """Wait until the service answers."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with contextlib.suppress(urllib.error.URLError):
            ask(f"{base}/health")
            return
        time.sleep(0.05)
    raise AssertionError(f"{base} never answered")
