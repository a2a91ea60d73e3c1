from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.verifiers.forgeries import ISSUER, NOW, PARTY, forgeries, jwk, pem, private_key, token
from toastkit.errors import ConfigError, InvalidToken, TokenExpired
from toastkit.testing import ManualClock
from toastkit.verifiers import StaticVerifier

FORGERIES = forgeries()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW * 1000)


@pytest.fixture
def verifier(clock):
    keys = {"keys": [jwk("ours"), jwk("second")]}
    return StaticVerifier(keys, clock, issuer=ISSUER, authorized_parties=[PARTY])


def test_a_good_token_names_its_user(verifier):
    assert verifier.verify(token()).user_id == "ada"


def test_the_kid_chooses_the_key(verifier):
    assert verifier.verify(token("second")).user_id == "ada"


def test_a_pem_text_is_the_key_of_any_kid(clock):
    assert StaticVerifier(pem(), clock).verify(token(header={"kid": "x"})).user_id == "ada"


def test_several_pem_texts_are_tried_in_turn(clock):
    assert StaticVerifier([pem("second"), pem()], clock).verify(token()).user_id == "ada"


def test_without_issuer_and_parties_neither_is_asked(clock):
    plain = StaticVerifier({"keys": [jwk()]}, clock)
    assert plain.verify(token(iss=None, azp=None)).user_id == "ada"


def test_typ_nbf_and_iat_may_be_absent(verifier):
    assert verifier.verify(token(nbf=None, iat=None)).user_id == "ada"


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_refused(verifier, name):
    with pytest.raises(InvalidToken, match=r"^Invalid token: "):
        verifier.verify(FORGERIES[name])


@pytest.mark.parametrize("name", FORGERIES)
def test_a_refusal_repeats_nothing_of_the_token(verifier, name):
    with pytest.raises(InvalidToken) as caught:
        verifier.verify(FORGERIES[name])
    assert len(str(caught.value)) < 120
    assert caught.value.__cause__ is None


def test_a_token_is_expired_after_five_seconds_of_leeway(verifier, clock):
    clock.advance(64.9)
    assert verifier.verify(token()).user_id == "ada"
    clock.advance(0.1)
    with pytest.raises(TokenExpired):
        verifier.verify(token())


@pytest.mark.parametrize("name", ["nbf", "iat"])
def test_a_clock_may_be_five_seconds_ahead(verifier, name):
    assert verifier.verify(token(**{name: NOW + 5})).user_id == "ada"
    with pytest.raises(InvalidToken, match="not valid yet"):
        verifier.verify(token(**{name: NOW + 6}))


def test_the_signature_is_checked_before_the_claims(verifier):
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
        ({"keys": [jwk(use="enc")]}, "at least one"),
        ({"keys": [jwk(alg="RS512")]}, "at least one"),
        ({"keys": [{"kty": "oct", "k": "AAAA"}]}, "at least one"),
        ({"keys": ["text"]}, "at least one"),
        ({"keys": [{"kty": "RSA", "kid": "a"}]}, "cannot be read"),
        ("", "public key in PEM"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "public key in PEM"),
        (_pem_of(private_key(), private=True), "public key in PEM"),
        (_pem_of(ec.generate_private_key(ec.SECP256R1())), "RSA"),
        (_pem_of(rsa.generate_private_key(65537, 1024)), "2048 bits"),
    ],
)
def test_keys_that_cannot_serve_are_refused_at_the_start(keys, says):
    with pytest.raises(ConfigError, match=says):
        StaticVerifier(keys)
