"""toastkit.js against a real server, without a browser: what only both together show."""

import json
import shutil
import subprocess

import pytest

from tests.e2e.conftest import ROOT

pytestmark = pytest.mark.plain
NODE = shutil.which("node")
PAGE = ROOT / "tests/clients/js/renewing.js"


def has_websocket():
    """Tell whether this node has the WebSocket of browsers, if only when asked."""
    command = [
        str(NODE),
        "--experimental-websocket",
        "-e",
        "new WebSocket('ws://[::1]:9').onerror = () => 0",
    ]
    return (
        NODE is not None
        and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )


@pytest.mark.skipif(not has_websocket(), reason="no node with a WebSocket here")
def test_A8_a_page_outlives_its_ticket_on_one_connection(serve):
    server = serve("gevent", TOASTKIT_TICKET_SECONDS=3, TOASTKIT_PING_SECONDS=1)
    command = [str(NODE), "--experimental-websocket", "--no-warnings", str(PAGE), server.url, "ada"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as page:
        said = []

        def until(condition):
            while not condition(said[-1] if said else {}):
                said.append(json.loads(page.stdout.readline()))

        until(lambda each: each.get("state") == "connected" and each["session"])
        until(lambda each: each.get("heard") == "refresh_ack")
        server.post("/toast", {"user_id": "ada", "toast": "Still here"})
        until(lambda each: each.get("toast") == "Still here")
        page.stdin.close()
    sessions = {each["session"] for each in said if each.get("session")}
    assert len(sessions) == 1
    assert "waiting" not in {each.get("state") for each in said}
