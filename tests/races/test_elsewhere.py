"""A script on the database of a server: who is shown its toasts, and who decides about them."""

import json
import time

import pytest

from tests.busy import BUSY
from tests.races.conftest import publishers

pytestmark = pytest.mark.plain
SOON = {"sqlite": 1.0 * BUSY, "postgresql": 3.0 * BUSY}


def test_a_page_gets_what_a_script_publishes_and_only_the_server_decides(serve, shared):
    with publishers(shared.url, 1) as [script]:
        # Nobody serves: a phone must not ring, for all the script knows somebody looks at the page.
        [first] = [script.publish(user_id="ada", toast="Nobody serves")]
        assert (first["status"], first["transport"], first["reason"]) == ("queued", "none", None)
        time.sleep(1)
        assert [row["state"] for row in shared.rows()] == ["accepted"]
        server = serve(TOASTKIT_DATABASE_URL=shared.url)
        with server.join("ada") as page:
            late = json.loads(page.recv(timeout=10))
            assert late["toast"]["id"] == first["id"]
            for number in range(3):
                began = time.monotonic()
                receipt = script.publish(user_id="ada", toast=f"{number}")
                assert receipt["status"] == "queued"
                told = json.loads(page.recv(timeout=5))
                assert time.monotonic() - began < SOON[shared.name]
                assert told["toast"]["id"] == receipt["id"]
                assert told["seq"] == number + 2
        bob = script.publish(user_id="bob", toast="Nobody is there")
        until = time.monotonic() + 5
        while any(row["state"] == "accepted" for row in shared.rows()):
            assert time.monotonic() < until
            time.sleep(0.05)
    by_id = {row["id"]: row for row in shared.rows()}
    assert by_id.pop(bob["id"])["state"] == "undelivered"
    assert {row["state"] for row in by_id.values()} == {"written"}
