import monitor

from tests.embedding.browser import Browser


def test_who_owns_a_machine_sees_that_it_is_down(url, client):
    ada = Browser(url)
    ada.send("POST", "/auth/session", {"name": "ada", "password": "secret"})
    with ada.page("/") as page:
        client.put("/machines/db1", json={"state": "down", "owner": "ada"})
        assert page.title() == "db1 is down"


def test_the_options_of_its_own_sockets_are_its_own(client):
    client.get("/health")
    assert monitor.app.config["SOCK_SERVER_OPTIONS"] == {
        "ping_interval": 25,
        "max_message_size": 1024,
    }


def test_errors_inside_toastkit_keep_the_documented_shape(client):
    assert client.post("/v1/sessions/toast-bootstrap").json["code"] == "missing_token"
    assert client.patch("/v1/toasts").json["code"] == "method_not_allowed"


def test_a_machine_that_is_up_is_no_news(client, toasts):
    client.put("/machines/db1", json={"state": "up", "owner": "ada"})
    assert toasts.all == []
    client.put("/machines/db1", json={"state": "down", "owner": "ada"})
    assert [toast.style for toast in toasts.to("ada")] == ["error"]
