"""The app an operator runs: with an identity provider of their own, and called from inside."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from example_app.demo.identity import IdentityProvider
from example_app.factory import create_app
from example_app.services.toasts import publish_toast
from tests.apple.papers import KEY_ID, TEAM_ID
from tests.apple.server import Apple
from tests.verifiers.endpoint import Endpoint, document, endpoint
from toastkit import current_kit
from toastkit.clock import SystemClock


@pytest.fixture
def provider(tmp_path: Path) -> IdentityProvider:
    (tmp_path / "idp").mkdir()
    return IdentityProvider.of(tmp_path / "idp", SystemClock())


@pytest.fixture
def published(provider: IdentityProvider) -> Iterator[Endpoint]:
    with endpoint() as here:
        here.answer = document(provider.jwks())
        yield here


@pytest.fixture
def environ(tmp_path: Path, provider: IdentityProvider, published: Endpoint) -> dict[str, str]:
    return {
        "INSTANCE_PATH": str(tmp_path),
        "CLERK_JWKS_URL": published.url,
        "CLERK_ISSUER": provider.issuer,
        "CLERK_AUTHORIZED_PARTIES": "http://localhost",
    }


@pytest.fixture
def client(environ: dict[str, str]) -> Iterator[FlaskClient]:
    app = create_app(environ)
    yield app.test_client()
    with app.app_context():
        current_kit().close()


def test_with_an_identity_provider_there_is_no_page_and_its_tokens_are_believed(
    client: FlaskClient, provider: IdentityProvider
) -> None:
    bearer = {"Authorization": f"Bearer {provider.sign_in('ada')}"}
    assert client.post("/auth/session", headers=bearer).status_code == 200
    for path in ("/", "/demo/static/page.js", "/demo/pushes", "/.well-known/jwks.json"):
        assert client.get(path).status_code == 404
    assert client.get("/health", headers={"Host": "toasts.example"}).status_code == 200
    assert client.post("/v1/toasts/publish", json={}).status_code == 503


def test_B17_while_its_keys_cannot_be_had_the_service_runs_and_says_so(
    client: FlaskClient, provider: IdentityProvider, published: Endpoint
) -> None:
    published.fail()
    bearer = {"Authorization": f"Bearer {provider.sign_in('ada')}"}
    for _ in range(3):
        answer = client.post("/auth/session", headers=bearer)
        assert (answer.status_code, answer.json["detail"]) == (503, "JWKS not loaded")
        assert int(answer.headers["Retry-After"]) in range(1, 10)
    assert len(published.asked) == 1
    assert client.get("/health").status_code == 200


def test_the_house_publishes_without_http_and_without_a_secret(app: Flask) -> None:
    with app.app_context():
        receipt = publish_toast("grace", "Research complete")
    assert receipt.status in {"queued", "undelivered"}


def test_with_a_key_of_apples_pushes_are_sent_and_without_one_nobody_waits_for_a_phone(
    environ: dict[str, str], apple: Apple
) -> None:
    keys = {
        "APNS_TEAM_ID": TEAM_ID,
        "APNS_KEY_ID": KEY_ID,
        "APNS_KEY_FILE": str(apple.papers.key_file),
        "APNS_HOST": apple.host,
        "APNS_CA_FILE": str(apple.papers.ca_file),
    }
    phone = {"device_id": "phone", "apns": {"token": "ab" * 32}}
    for given, enabled, outcome in (
        (environ | keys, True, ("apns", "delivered", None)),
        (environ, False, ("none", "undelivered", "no_session")),
    ):
        app = create_app(given | {"TOASTKIT_CONFIRM_MS": "5000"})
        with app.app_context():
            kit = current_kit()
        bearer = {"Authorization": f"Bearer {kit.sessions.mint('ada')[0]}"}
        told = app.test_client().post("/v1/devices/register-toast", json=phone, headers=bearer)
        assert (told.json or {})["apns_fallback_enabled"] is enabled
        receipt = kit.publish_toast("ada", "x")
        assert (receipt.transport, receipt.status, receipt.reason) == outcome
        kit.close()
    assert [each.token for each in apple.requests] == ["ab" * 32]
    assert apple.faults() == []
