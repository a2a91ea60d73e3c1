"""The portable gateway: the same words, for servers whose sockets cannot be taken."""

import json

import pytest
from websockets.exceptions import ConnectionClosedError

from tests.clients.flock import Flock, text

pytestmark = pytest.mark.plain


@pytest.mark.parametrize("worker", ["gevent", "gthread", "werkzeug"])
def test_a_client_connects_subscribes_hears_and_leaves(serve, worker):
    server = serve(worker, TOASTKIT_GATEWAY="portable")
    with server.join("ada") as client:
        client.send('{"type":"subscribe","topics":["user:ada:builds"],"id":1}')
        assert "subscribe_ack" in client.recv(timeout=5)
        toast = {"user_id": "ada", "toast": "Hi", "topic": "user:ada:builds"}
        receipt = server.post("/toast", toast)
        assert '"title":"Hi"' in client.recv(timeout=5)
        assert receipt["session_count"] == 1
        assert client.ping().wait(5)
    assert client.close_code == 1000
    # The server's library answers the farewell by itself; ours hears of it a moment later, and what
    # is published in between waits for an answer in vain.
    gone = {"user_id": "ada", "toast": "Gone"}
    assert any(server.post("/toast", gone)["reason"] == "no_session" for _ in range(10))


@pytest.mark.parametrize("worker", ["gevent", "gthread"])
def test_a_stopping_worker_tells_1012(serve, worker):
    server = serve(worker, TOASTKIT_GATEWAY="portable", options=["--threads", "8"])
    with Flock(server.address) as flock:
        flock.join(server.tickets("ada", "bob", "cy"), first=text({"type": "ping"}))
        assert flock.run(lambda: all(bird.messages("pong") for bird in flock.birds))
        server.process.terminate()
        assert flock.run(lambda: all(bird.closed for bird in flock.birds), 5)
        assert {bird.closed.code for bird in flock.birds} == {1012}
    server.process.wait(30)


def test_large_messages_arrive_whole_at_a_reader_that_pauses(serve):
    server = serve("gthread", TOASTKIT_GATEWAY="portable")
    params = [{"number": number, "filling": "x" * 60_000} for number in range(8)]
    with Flock(server.address) as flock:
        (bird,) = flock.join(server.tickets("ada"))
        assert flock.run(flock.greeted)
        bird.pause()
        for each in params[:3]:
            server.post("/control", {"kind": "big.one", "params": each, "user_id": "ada"})
        bird.listen()
        for each in params[3:]:
            server.post("/control", {"kind": "big.one", "params": each, "user_id": "ada"})
        assert flock.run(lambda: len(bird.messages("control")) == len(params))
        assert [message["control"]["params"] for message in bird.messages("control")] == params


def test_a_message_that_is_no_text_is_refused(serve):
    server = serve("gthread", TOASTKIT_GATEWAY="portable")
    with server.join("ada") as client:
        client.send(json.dumps({"type": "ping"}).encode())
        with pytest.raises(ConnectionClosedError):
            client.recv(timeout=5)
    assert client.close_code == 1003
