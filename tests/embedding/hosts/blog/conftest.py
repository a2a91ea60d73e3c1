import pytest
from flaskr import create_app
from flaskr.db import init_db


@pytest.fixture
def app(tmp_path):
    app = create_app({"TESTING": True, "DATABASE": str(tmp_path / "flaskr.sqlite")})
    with app.app_context():
        init_db()
    return app


@pytest.fixture
def author(app):
    """Return a browser of a new author, who is signed in."""

    def author(username):
        client = app.test_client()
        form = {"username": username, "password": "secret"}
        client.post("/auth/register", data=form)
        client.post("/auth/login", data=form)
        return client

    return author
