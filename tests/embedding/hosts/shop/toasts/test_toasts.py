import re

import pytest
from shop import create_app
from shop.extensions import db
from shop.models import User

from tests.embedding.browser import Browser, served


@pytest.fixture
def shop(tmp_path):
    app = create_app(TESTING=True, SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path}/shop.db")
    with app.app_context():
        db.create_all()
        for email, is_staff in (("ada@example.com", False), ("clerk@example.com", True)):
            user = User(email=email, is_staff=is_staff)
            user.set_password("secret")
            db.session.add(user)
        db.session.commit()
    yield app
    with app.app_context():
        db.engine.dispose()


def send(browser, path, form, **fields):
    """Fill in a form and send it with its token."""
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get(form))[1]
    return browser.post(path, csrf_token=token, **fields)


def surfing(url, name):
    browser = Browser(url)
    send(browser, "/login", "/login", email=f"{name}@example.com", password="secret")
    return browser


def test_a_customer_sees_that_an_order_was_shipped(shop):
    with served(shop) as url:
        ada, clerk = surfing(url, "ada"), surfing(url, "clerk")
        send(ada, "/", "/", item="lamp")
        with ada.page("/") as page:
            send(clerk, "/orders/1/ship", "/", item="")
            assert page.title() == "Your lamp is on its way"


def test_a_customer_is_told_when_the_order_is_committed(signed_in, toasts):
    ada, clerk = signed_in("ada"), signed_in("clerk")
    ada.post("/", data={"item": "lamp"})
    with toasts.websocket(ada) as page:
        clerk.post("/orders/1/ship")
        assert page.receive()["toast"]["title"] == "Your lamp is on its way"
    assert toasts.to(1).titles == ["Your lamp is on its way"]


def test_a_toast_is_in_the_list(signed_in):
    ada, clerk = signed_in("ada"), signed_in("clerk")
    ada.post("/", data={"item": "lamp"})
    clerk.post("/orders/1/ship")
    answer = ada.get("/v1/toasts", headers={"X-ToastKit": "1"})
    assert [item["title"] for item in answer.json["items"]] == ["Your lamp is on its way"]
