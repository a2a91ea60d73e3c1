import pytest
from portal import create_app

PROXY = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "www.example.com",
    "X-Forwarded-Prefix": "/portal",
}


@pytest.fixture
def app():
    return create_app(TESTING=True)


@pytest.fixture
def client(app):
    """Return a browser on the other side of the proxy."""
    client = app.test_client()
    client.environ_base.update({f"HTTP_{k.upper().replace('-', '_')}": v for k, v in PROXY.items()})
    return client


@pytest.fixture
def sign_in(client):
    def sign_in(user):
        form = {"user": user}
        # A test client keeps cookies by the name the request has, not by the proxy's.
        return client.post("/login", data=form, base_url="https://localhost/portal")

    return sign_in
