"""Any OpenID Connect issuer, by the keys it publishes."""

import contextlib
import threading
import time
from typing import Any

import jwt
import pytest

from tests.verifiers.endpoint import Answer, Endpoint, document, page, raw
from tests.verifiers.signing import (
    AUDIENCE,
    CLAIMS,
    ISSUER,
    PARTY,
    jwk,
    jwks,
    other_jwk,
    other_key,
    private_key,
    token,
)
from toastkit.errors import ConfigError, InvalidToken, KeysNotLoaded, TokenExpired
from toastkit.testing import ManualClock
from toastkit.verifiers import JwksLimits, JwksVerifier

URL = "https://provider.example/jwks.json"


def verifier_of(provider: Endpoint, clock: ManualClock, **options: Any) -> JwksVerifier:
    given = {"issuer": ISSUER, "audience": AUDIENCE, "clock": clock} | options
    return JwksVerifier(provider.url, **given)


@pytest.fixture
def verifier(provider: Endpoint, clock: ManualClock) -> JwksVerifier:
    provider.publish("ours")
    return verifier_of(provider, clock)


def test_a_good_token_names_its_user(verifier: JwksVerifier) -> None:
    claims = verifier.verify(token())
    assert (claims.user_id, claims.all["azp"]) == ("ada", PARTY)


def test_keys_are_fetched_when_the_first_token_comes(
    verifier: JwksVerifier, provider: Endpoint
) -> None:
    assert not provider.asked
    verifier.verify(token())
    verifier.verify(token())
    assert provider.asked == ["/.well-known/jwks.json"]


def test_keys_may_be_loaded_before(verifier: JwksVerifier, provider: Endpoint) -> None:
    assert verifier.load()
    verifier.verify(token())
    assert len(provider.asked) == 1


def test_loading_tells_that_they_cannot_be_had(
    verifier: JwksVerifier, provider: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    provider.fail()
    assert not verifier.load()
    assert f"the keys of {provider.url} cannot be had: HTTP status 500" in caplog.text


def test_what_a_url_asks_with_is_fetched_and_not_logged(
    provider: Endpoint, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    provider.fail()
    provider.url += "?apikey=canary"
    assert not verifier_of(provider, clock).load()
    assert provider.asked == ["/.well-known/jwks.json?apikey=canary"]
    assert "cannot be had" in caplog.text
    assert "canary" not in caplog.text


def test_a_rotated_key_is_known_at_once_and_the_old_one_as_long_as_it_is_there(
    verifier: JwksVerifier, provider: Endpoint, clock: ManualClock
) -> None:
    assert verifier.verify(token()).user_id == "ada"
    provider.publish("ours", "second")
    assert verifier.verify(token("second")).user_id == "ada"
    assert verifier.verify(token()).user_id == "ada"
    provider.publish("second")
    clock.advance(600)
    with pytest.raises(TokenExpired):
        verifier.verify(token("second"))
    with pytest.raises(InvalidToken, match="signature"):
        verifier.verify(token())


BAD: dict[str, Answer] = {
    "500": page(b"", 500),
    "HTML": page(b"<html>Sign in</html>"),
    "a redirect": page(b"", 302, Location="http://127.0.0.1:1/"),
    "100 MB": raw(b"HTTP/1.0 200 OK\r\n\r\n", *[b" " * 65_536] * 1600),
    "another document": document({"issuer": ISSUER}),
    "a list": document([jwk()]),
    "no keys": document({"keys": []}),
    "keys that are none": document({"keys": [None, 7, "RSA", [], {}]}),
    "a weak key": document({"keys": [jwk("weak", kid="ours")]}),
    "an oct key": document({"keys": [{"kty": "oct", "kid": "ours", "k": "AAAA", "alg": "RS256"}]}),
    "a private key": document({"keys": [jwk(d="AQAB")]}),
    "a key for encryption": document({"keys": [jwk(use="enc")]}),
    "a key of another algorithm": document({"keys": [other_jwk(kid="ours")]}),
    "a broken key": document({"keys": [jwk(n="!")]}),
    "a key of no kind": document({"keys": [jwk(kty=["RSA"])]}),
    "a huge key": document({"keys": [jwk(n="_" * 200_000)]}),
    "silence": raw(b""),
}


@pytest.mark.parametrize("what", BAD)
def test_with_no_good_answer_ever_nobody_is_let_in(
    verifier: JwksVerifier, provider: Endpoint, what: str
) -> None:
    provider.answer = BAD[what]
    with pytest.raises(KeysNotLoaded, match=r"^JWKS not loaded$"):
        verifier.verify(token())


@pytest.mark.parametrize("what", BAD)
def test_a_bad_answer_takes_no_good_key_away(
    verifier: JwksVerifier, provider: Endpoint, clock: ManualClock, what: str
) -> None:
    verifier.verify(token())
    provider.answer = BAD[what]
    with pytest.raises(KeysNotLoaded):
        verifier.verify(token("second"))
    clock.advance(55)
    assert verifier.verify(token()).user_id == "ada"


def test_one_bad_key_does_not_spoil_the_others(verifier: JwksVerifier, provider: Endpoint) -> None:
    provider.answer = document(jwks())
    assert verifier.verify(token("second")).user_id == "ada"


def test_a_server_that_drips_holds_nobody_longer_than_the_limit(
    provider: Endpoint, clock: ManualClock
) -> None:
    provider.answer = raw(
        b"HTTP/1.0 200 OK\r\n\r\n", *[b" "] * 100, pause=provider.closing, seconds=0.1
    )
    verifier = verifier_of(provider, clock, limits=JwksLimits(timeout_seconds=0.3))
    begun = time.monotonic()
    with pytest.raises(KeysNotLoaded):
        verifier.verify(token())
    assert time.monotonic() - begun < 10


def test_tokens_of_other_issuers_make_nobody_fetch(
    verifier: JwksVerifier, provider: Endpoint
) -> None:
    for name in ("ours", "second", "third"):
        with pytest.raises(InvalidToken, match="another issuer"):
            verifier.verify(token(name, iss="https://other.example"))
    assert not provider.asked


def test_nothing_a_token_names_is_ever_fetched(verifier: JwksVerifier, provider: Endpoint) -> None:
    trap = provider.url.replace("jwks.json", "trap")
    for name in ("jku", "x5u", "kid", "jwk"):
        with pytest.raises(InvalidToken):
            verifier.verify(token("attacker", header={name: trap}))
    assert set(provider.asked) == {"/.well-known/jwks.json"}


def test_a_flood_of_unknown_keys_costs_one_fetch_and_refuses_no_good_token(
    verifier: JwksVerifier, provider: Endpoint
) -> None:
    verifier.verify(token())
    good, slowest, wrong = token(), [0.0], []
    body, signature = token("attacker").split(".")[1:]
    kids = iter(range(10_000))

    def flood() -> None:
        for kid in kids:
            head = jwt.utils.base64url_encode(b'{"alg":"RS256","kid":"%d"}' % kid).decode()
            with contextlib.suppress(InvalidToken):
                wrong.append(verifier.verify(f"{head}.{body}.{signature}"))
            if kid % 100 == 0:
                begun = time.monotonic()
                assert verifier.verify(good).user_id == "ada"
                slowest.append(time.monotonic() - begun)

    threads = [threading.Thread(target=flood) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not wrong
    assert len(slowest) == 101
    assert len(provider.asked) == 2


def test_an_access_token_by_its_type_will_do(verifier: JwksVerifier) -> None:
    for kind in ("at+jwt", "application/at+jwt", "jwt"):
        assert verifier.verify(token(header={"typ": kind})).user_id == "ada"


def test_claims_may_be_required(provider: Endpoint, clock: ManualClock) -> None:
    provider.publish("ours")
    pool = verifier_of(
        provider,
        clock,
        audience=None,
        required={"token_use": "access", "client_id": "abc"},
        user_claim="username",
    )
    claims = {"token_use": "access", "client_id": "abc", "aud": None, "username": "ada"}
    assert pool.verify(token(**claims)).user_id == "ada"
    with pytest.raises(InvalidToken):
        pool.verify(token(**claims | {"token_use": "id"}))


def test_other_algorithms_may_be_allowed(provider: Endpoint, clock: ManualClock) -> None:
    provider.answer = document({"keys": [jwk(alg=None), other_jwk()]})
    either = verifier_of(provider, clock, algorithms=("RS256", "ES256"))
    made = jwt.encode(CLAIMS, other_key(), "ES256", headers={"kid": "P-256"})
    assert either.verify(made).user_id == "ada"
    assert either.verify(token()).user_id == "ada"
    made = jwt.encode(CLAIMS, private_key(), "RS512", headers={"kid": "ours"})
    with pytest.raises(InvalidToken, match="must be ES256 or RS256"):
        either.verify(made)


@pytest.mark.parametrize(
    ("url", "options", "says"),
    [
        ("", {}, "https://host/path"),
        ("provider.example/jwks.json", {}, "https://host/path"),
        ("file:///etc/passwd", {}, "https://host/path"),
        ("https://", {}, "https://host/path"),
        ("https://[::1/jwks", {}, "https://host/path"),
        ("https://host:port/jwks", {}, "https://host/path"),
        ("https://ada:secret@provider.example/jwks.json", {}, "without a password"),
        ("http://provider.example/jwks.json", {}, "must come by https"),
        ("http://127.0.0.1.evil.example/jwks.json", {}, "must come by https"),
        (URL, {"issuer": ""}, "issuer"),
        (URL, {"audience": ""}, "audience"),
        (URL, {"audience": []}, "audience"),
        (URL, {"algorithms": ("HS256",)}, "algorithms"),
        (URL, {"user_claim": ""}, "user_claim"),
        (URL, {"leeway_seconds": 3600}, "leeway_seconds"),
    ],
)
def test_what_cannot_be_is_refused_at_the_start(
    url: str, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        JwksVerifier(url, **{"issuer": ISSUER, "audience": AUDIENCE} | options)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://localhost:1/jwks", "http://[::1]/jwks", URL])
def test_making_one_asks_nobody(url: str) -> None:
    JwksVerifier(url, issuer=ISSUER, audience=None)


def test_http_to_elsewhere_is_chosen(clock: ManualClock) -> None:
    JwksVerifier("http://keycloak:8080/certs", issuer=ISSUER, audience=None, allow_http=True)
