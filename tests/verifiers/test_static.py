"""Keys that are known beforehand."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.verifiers.signing import (
    AUDIENCE,
    CLAIMS,
    ISSUER,
    NOW,
    PARTY,
    jwk,
    other_jwk,
    pem,
    private_key,
    signed,
    token,
)
from toastkit.errors import ConfigError, InvalidToken, TokenExpired
from toastkit.testing import ManualClock
from toastkit.verifiers import StaticVerifier


@pytest.fixture
def verifier(clock: ManualClock) -> StaticVerifier:
    keys = {"keys": [jwk("ours"), jwk("second")]}
    return StaticVerifier(keys, clock, issuer=ISSUER, authorized_parties=[PARTY], audience=AUDIENCE)


def test_a_good_token_names_its_user(verifier: StaticVerifier) -> None:
    assert verifier.verify(token()).user_id == "ada"


def test_what_it_says_is_told_whole(verifier: StaticVerifier) -> None:
    claims = verifier.verify(token(email="ada@example.com", exp=NOW + 60.5))
    assert claims.all["email"] == "ada@example.com"
    assert claims.all["iss"] == ISSUER
    assert claims.expires_at == (NOW + 60) * 1000 + 500


def test_the_kid_chooses_the_key(verifier: StaticVerifier) -> None:
    assert verifier.verify(token("second")).user_id == "ada"


def test_without_a_kid_the_only_key_is_meant(clock: ManualClock) -> None:
    only = StaticVerifier({"keys": [jwk(), jwk("vault", use="enc")]}, clock)
    assert only.verify(signed({"alg": "RS256"}, CLAIMS)).user_id == "ada"


def test_a_key_without_a_name_may_be_that_of_any_kid(clock: ManualClock) -> None:
    unnamed = StaticVerifier({"keys": [jwk(kid=None)]}, clock)
    assert unnamed.verify(token(header={"kid": "x"})).user_id == "ada"


def test_a_pem_text_is_the_key_of_any_kid(clock: ManualClock) -> None:
    assert StaticVerifier(pem(), clock).verify(token(header={"kid": "x"})).user_id == "ada"


def test_several_pem_texts_are_tried_in_turn(clock: ManualClock) -> None:
    assert StaticVerifier([pem("second"), pem()], clock).verify(token()).user_id == "ada"


def test_what_is_not_named_is_not_asked(clock: ManualClock) -> None:
    plain = StaticVerifier({"keys": [jwk()]}, clock)
    assert plain.verify(token(iss=None, azp=None, aud=None)).user_id == "ada"


def test_a_token_is_expired_after_five_seconds_of_leeway(
    verifier: StaticVerifier, clock: ManualClock
) -> None:
    clock.advance(64.9)
    assert verifier.verify(token()).user_id == "ada"
    clock.advance(0.1)
    with pytest.raises(TokenExpired):
        verifier.verify(token())


def test_the_signature_is_checked_before_the_claims(verifier: StaticVerifier) -> None:
    with pytest.raises(InvalidToken, match="signature"):
        verifier.verify(token("attacker", header={"kid": "ours"}, exp=NOW - 1000))


def _pem_of(key: object, private: bool = False) -> str:
    encoding = serialization.Encoding.PEM
    if private:
        form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return key.private_bytes(encoding, form, none).decode()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(encoding, form).decode()


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ([], "at least one"),
        ({}, "at least one"),
        ({"keys": []}, "at least one"),
        ({"keys": "RSA"}, "at least one"),
        ({"keys": {"kty": "RSA"}}, "at least one"),
        ({"keys": [jwk(use="enc")]}, "at least one"),
        ({"keys": [jwk(key_ops=["encrypt"])]}, "at least one"),
        ({"keys": [jwk(alg="RS512")]}, "at least one"),
        ({"keys": [jwk(alg=["RS256"])]}, "at least one"),
        ({"keys": [{"kty": "oct", "k": "AAAA"}]}, "at least one"),
        ({"keys": [{"kty": ["RSA"]}]}, "at least one"),
        ({"keys": ["text"]}, "at least one"),
        ({"keys": [{"kty": "RSA", "kid": "a"}]}, "cannot be read"),
        ({"keys": [jwk(n=7)]}, "cannot be read"),
        ({"keys": [jwk(n="")]}, "cannot be read|bits"),
        ({"keys": [jwk(n="_" * 100_000)]}, "cannot be read"),
        ({"keys": [jwk(e="AA")]}, "cannot be read"),
        ({"keys": [jwk(e="!")]}, "cannot be read"),
        ({"keys": [jwk(d="AQAB")]}, "private"),
        ({"keys": [jwk("weak")]}, "2048 bits"),
        ({"keys": [jwk(kid=1)]}, "kid"),
        ({"keys": [other_jwk()]}, "at least one"),
        ({"keys": [other_jwk(x="AAAA")]}, "cannot be read"),
        ({"keys": [other_jwk(crv="P-0")]}, "cannot be read"),
        ("", "public key in PEM"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "public key in PEM"),
        (_pem_of(private_key(), private=True), "public key in PEM"),
        (_pem_of(ec.generate_private_key(ec.SECP256R1())), "one for RS256"),
        (_pem_of(rsa.generate_private_key(65537, 1024)), "2048 bits"),
    ],
)
def test_keys_that_cannot_serve_are_refused_at_the_start(keys: object, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        StaticVerifier(keys)


@pytest.mark.parametrize("algorithms", [(), ["HS256"], ["none"], ["RS256", "HS256"], "", ["RS-1"]])
def test_only_a_providers_own_key_can_sign(algorithms: object) -> None:
    with pytest.raises(ConfigError, match="algorithms"):
        StaticVerifier(pem(), algorithms=algorithms)
