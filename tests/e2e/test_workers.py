"""What only a real server shows."""

import pytest

from tests.clients.flock import Flock, text

pytestmark = pytest.mark.plain


@pytest.mark.parametrize("worker", ["gevent", "gthread", "werkzeug", "sync"])
def test_a_client_connects_subscribes_hears_and_leaves(serve, worker):
    server = serve(worker)
    with server.join("ada") as client:
        client.send('{"type":"subscribe","topics":["user:ada:builds"],"id":1}')
        assert "subscribe_ack" in client.recv(timeout=5)
        receipt = server.post(
            "/toast", {"user_id": "ada", "toast": "Hi", "topic": "user:ada:builds"}
        )
        assert '"title":"Hi"' in client.recv(timeout=5)
        assert (receipt["transport"], receipt["session_count"]) == ("websocket", 1)
    assert client.close_code == 1000
    receipt = server.post("/toast", {"user_id": "ada", "toast": "Gone"})
    assert receipt["reason"] == "no_session"
