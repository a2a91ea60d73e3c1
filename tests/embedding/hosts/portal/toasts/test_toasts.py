import pytest
from conftest import PROXY

from tests.embedding.browser import Browser, served


def surfing(url, user, **headers):
    """Return a browser on the other side of the proxy, which takes the prefix off."""
    browser = Browser(url, prefix="/portal", headers={**PROXY, **headers})
    browser.post("/portal/login", user=user)
    return browser


def test_who_asked_for_a_holiday_sees_that_it_is_approved(app):
    with served(app) as url:
        ada, boss = surfing(url, "ada"), surfing(url, "boss")
        with ada.page("/portal/") as page:
            boss.post("/portal/approve/ada")
            assert page.title() == "Your holiday is approved"


def test_a_page_is_told_where_it_reaches_the_gateway(app):
    with served(app) as url:
        offer = surfing(url, "ada", Origin="https://www.example.com").bootstrap("/portal/")
        assert offer["ws_url"].startswith("wss://www.example.com/portal/api/v1/realtime?")


def test_toastkit_says_itself_who_is_not_signed_in(client):
    answer = client.post("/v1/sessions/toast-bootstrap", headers={"X-ToastKit": "1"})
    assert (answer.status_code, answer.json["code"]) == (401, "missing_token")
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_toastkit_tells_its_own_errors_and_the_host_its_own(client, sign_in):
    assert client.delete("/v1/toasts/publish").json["code"] == "method_not_allowed"
    sign_in("intruder")
    secure = {"base_url": "https://localhost/portal"}
    assert "Sorry" in client.get("/v1/toasts", **secure).text
    sign_in("ada")
    assert "Sorry" in client.get("/nowhere", **secure).text


@pytest.mark.parametrize("path", ["/toastkit/toastkit.js", "/static/portal.js"])
def test_scripts_are_had_by_everybody(client, path):
    with client.get(path) as answer:
        assert answer.status_code == 200


def test_the_boss_decides(client, sign_in, toasts):
    sign_in("ada")
    assert client.post("/approve/ada", base_url="https://localhost/portal").status_code == 403
    sign_in("boss")
    client.post("/approve/ada", base_url="https://localhost/portal")
    assert toasts.to("ada").titles == ["Your holiday is approved"]
