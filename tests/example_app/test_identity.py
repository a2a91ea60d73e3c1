"""Demo mode's own identity provider."""

import stat
from pathlib import Path

import jwt
import pytest

from example_app.demo.identity import KEY_FILE, IdentityProvider
from toastkit.clock import SystemClock
from toastkit.errors import ConfigError, Invalid
from toastkit.verifiers import StaticVerifier


@pytest.fixture
def provider(tmp_path: Path) -> IdentityProvider:
    return IdentityProvider.of(tmp_path, SystemClock())


def test_its_key_is_made_once_and_for_us_alone(provider: IdentityProvider, tmp_path: Path) -> None:
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    again = IdentityProvider.of(tmp_path, SystemClock())
    assert again.jwks() == provider.jwks()


def test_its_tokens_look_like_clerks_and_live_a_minute(provider: IdentityProvider) -> None:
    token = provider.sign_in("ada")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["sub"] == "ada"
    assert claims["exp"] - claims["iat"] == 60
    assert set(claims) >= {"azp", "exp", "iat", "iss", "jti", "nbf", "sid", "sub"}
    assert jwt.get_unverified_header(token)["alg"] == "RS256"


def test_its_keys_verify_its_tokens(provider: IdentityProvider) -> None:
    verifier = StaticVerifier(provider.jwks(), issuer=provider.issuer)
    assert verifier.verify(provider.sign_in("ada")).user_id == "ada"


def test_its_public_document_holds_nothing_private(provider: IdentityProvider) -> None:
    assert set(provider.jwks()["keys"][0]) <= {"kty", "kid", "use", "alg", "n", "e", "key_ops"}


@pytest.mark.parametrize("name", ["", "a b", "a:b", "*", "anon", "anon:x", "x" * 201])
def test_what_is_no_user_id_cannot_sign_in(provider: IdentityProvider, name: str) -> None:
    with pytest.raises(Invalid):
        provider.sign_in(name)


def test_nobody_signs_in_as_an_anonymous_principal(provider: IdentityProvider) -> None:
    with pytest.raises(Invalid, match="anon:"):
        provider.sign_in("anon:00000000-0000-4000-8000-000000000000")


def test_a_broken_key_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_text("no key")
    with pytest.raises(ConfigError, match=KEY_FILE):
        IdentityProvider.of(tmp_path, SystemClock())
