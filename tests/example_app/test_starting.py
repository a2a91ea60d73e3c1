"""The service starts whatever its identity provider does."""

import urllib.error
from pathlib import Path

import pytest

from example_app.demo.identity import IdentityProvider
from tests.verifiers.endpoint import Endpoint, document, endpoint
from toastkit.clock import SystemClock

from .conftest import Start, serving
from .test_service import MODULE, ask

pytestmark = pytest.mark.plain


def settings_of(provider: IdentityProvider, published: Endpoint) -> dict[str, str]:
    return {
        "CLERK_JWKS_URL": published.url,
        "CLERK_ISSUER": provider.issuer,
        "CLERK_AUTHORIZED_PARTIES": "http://localhost",
    }


def test_with_its_providers_keys_users_sign_in(start: Start, tmp_path: Path) -> None:
    provider = IdentityProvider.of(tmp_path, SystemClock())
    with endpoint() as published:
        published.answer = document(provider.jwks())
        process = start(*MODULE, **settings_of(provider, published))
        with serving(process) as base:
            answer = ask(f"{base}/auth/session", {}, provider.sign_in("ada"))
    assert answer["token"].startswith("ms_sess_")
    assert process.communicate()[1] == ""


@pytest.mark.parametrize("how", ["module", "wsgi"])
def test_why_the_database_cannot_be_opened_is_one_line_with_what_it_said(
    start: Start, tmp_path: Path, how: str
) -> None:
    (tmp_path / "no.db").write_text("this is no database, and has been one never at all " * 99)
    url = f"sqlite:///{tmp_path}/no.db"
    words = MODULE if how == "module" else ("-c", "import example_app.wsgi")
    told = start(*words, DATABASE_URL=url, TOASTKIT_DEMO="1").communicate(timeout=30)[1]
    assert (
        told == "example_app: the file is no database; nothing was kept (file is not a database)\n"
    )


def test_without_its_providers_keys_it_starts_and_says_so(start: Start, tmp_path: Path) -> None:
    provider = IdentityProvider.of(tmp_path, SystemClock())
    with endpoint() as published:
        published.fail()
        process = start(*MODULE, **settings_of(provider, published))
        with serving(process) as base:
            with pytest.raises(urllib.error.HTTPError, match="503"):
                ask(f"{base}/auth/session", {}, provider.sign_in("ada"))
            assert ask(f"{base}/health")["status"]
    told = process.communicate()[1]
    assert f"the keys of {published.url} cannot be had: HTTP status 500" in told
    assert "Traceback" not in told
