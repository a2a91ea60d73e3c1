"""The app an operator runs: with an identity provider of their own, and called from inside."""

import json
from pathlib import Path

from flask import Flask

from example_app.demo.identity import IdentityProvider
from example_app.factory import create_app
from example_app.services.toasts import publish_toast
from toastkit import current_kit
from toastkit.clock import SystemClock

from .test_jwks import page, server


def test_with_an_identity_provider_there_is_no_page_and_its_tokens_are_believed(
    tmp_path: Path,
) -> None:
    (tmp_path / "idp").mkdir()
    provider = IdentityProvider.of(tmp_path / "idp", SystemClock())
    with server(page(json.dumps(provider.jwks()).encode())) as url:
        app = create_app(
            {
                "INSTANCE_PATH": str(tmp_path),
                "CLERK_JWKS_URL": url,
                "CLERK_ISSUER": provider.issuer,
                "CLERK_AUTHORIZED_PARTIES": "http://localhost",
            }
        )
    client = app.test_client()
    bearer = {"Authorization": f"Bearer {provider.sign_in('ada')}"}
    assert client.post("/auth/session", headers=bearer).status_code == 200
    for path in ("/", "/demo/static/page.js", "/.well-known/jwks.json"):
        assert client.get(path).status_code == 404
    assert client.get("/health", headers={"Host": "toasts.example"}).status_code == 200
    assert client.post("/v1/toasts/publish", json={}).status_code == 503
    with app.app_context():
        current_kit().close()


def test_the_house_publishes_without_http_and_without_a_secret(app: Flask) -> None:
    with app.app_context():
        receipt = publish_toast("grace", "Research complete")
    assert receipt.status in {"queued", "undelivered"}
