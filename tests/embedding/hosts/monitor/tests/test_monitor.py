import monitor
import pytest
from simple_websocket import Client

DOWN = {"state": "down", "owner": "ada"}


def log_in(client, password="secret"):
    return client.post("/auth/session", json={"name": "ada", "password": password})


def test_logging_in_and_out(client):
    assert log_in(client).json == {"operator": "ada"}
    assert client.delete("/auth/session").status_code == 204


def test_wrong_password(client):
    answer = log_in(client, "guess")
    assert (answer.status_code, answer.json) == (403, {"error": "wrong name or password"})


def test_health_counts_machines(client):
    client.put("/machines/db1", json=DOWN)
    assert client.get("/health").json == {"status": "up", "machines": 1}


def test_the_api_is_described(client):
    assert client.get("/openapi.json").json["info"] == {"title": "Monitor", "version": "7"}


def test_errors_are_told_in_json(client):
    assert client.get("/nowhere").json == {"error": "no such thing"}
    assert client.post("/auth/session", json={}).json == {"error": "internal"}


def test_a_machine_is_watched(url, client):
    client.put("/machines/db1", json=DOWN)
    ws = Client.connect(url.replace("http", "ws") + "/machines/db1/watch")
    for _ in range(2):
        ws.send("how are you?")
        assert ws.receive(timeout=5) == "down"
    ws.close()


def test_what_a_watcher_says_is_short(url):
    assert monitor.app.config["SOCK_SERVER_OPTIONS"]["max_message_size"] == 1024
    ws = Client.connect(url.replace("http", "ws") + "/machines/db1/watch")
    ws.send("x" * 2000)
    with pytest.raises(Exception, match="1009"):
        ws.receive(timeout=5)


def test_the_page_loads_its_script(client):
    assert "/static/monitor.js" in client.get("/").text
