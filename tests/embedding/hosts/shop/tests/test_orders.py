from shop.extensions import db
from shop.models import Order


def test_who_is_not_logged_in_is_sent_to_the_form(app):
    assert app.test_client().get("/").headers["Location"].startswith("/login")


def test_login(signed_in):
    assert "ada@example.com" in signed_in("ada").get("/").text


def test_wrong_password(app):
    form = {"email": "ada@example.com", "password": "guess"}
    assert "Wrong e-mail or password" in app.test_client().post("/login", data=form).text


def test_ordering(signed_in):
    answer = signed_in("ada").post("/", data={"item": "lamp"}, follow_redirects=True)
    assert "lamp: new" in answer.text


def test_staff_ship(signed_in):
    ada, clerk = signed_in("ada"), signed_in("clerk")
    ada.post("/", data={"item": "lamp"})
    assert ada.post("/orders/1/ship").status_code == 403
    assert clerk.post("/orders/1/ship").status_code == 302
    assert "lamp: shipped" in ada.get("/").text


def test_a_form_without_its_token_is_refused(app, signed_in):
    ada = signed_in("ada")
    app.config["WTF_CSRF_ENABLED"] = True
    assert ada.post("/", data={"item": "lamp"}).status_code == 400
    with app.app_context():
        assert db.session.query(Order).count() == 0
