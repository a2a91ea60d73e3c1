import pytest
from shop import create_app
from shop.extensions import db
from shop.models import User


@pytest.fixture
def app():
    app = create_app(
        TESTING=True, SQLALCHEMY_DATABASE_URI="sqlite:///:memory:", WTF_CSRF_ENABLED=False
    )
    with app.app_context():
        db.create_all()
        for email, is_staff in (("ada@example.com", False), ("clerk@example.com", True)):
            user = User(email=email, is_staff=is_staff)
            user.set_password("secret")
            db.session.add(user)
        db.session.commit()
    yield app
    with app.app_context():
        db.drop_all()
        db.engine.dispose()


@pytest.fixture
def signed_in(app):
    """Return a browser of a customer, or of the clerk, who is signed in."""

    def signed_in(name):
        client = app.test_client()
        form = {"email": f"{name}@example.com", "password": "secret"}
        assert client.post("/login", data=form).status_code == 302
        return client

    return signed_in
