"""Clerk's session tokens."""

from typing import Any

import pytest

from tests.verifiers.endpoint import Endpoint
from tests.verifiers.signing import ISSUER, PARTY, pem, token
from toastkit.errors import ConfigError, InvalidToken, KeysNotLoaded
from toastkit.testing import ManualClock
from toastkit.verifiers import ClerkVerifier


def clerk(clock: ManualClock, **options: Any) -> ClerkVerifier:
    given = {"issuer": ISSUER, "authorized_parties": [PARTY], "jwt_key": pem(), "clock": clock}
    return ClerkVerifier(**given | options)


def test_with_the_key_nothing_is_fetched(clock: ManualClock) -> None:
    verifier = clerk(clock)
    assert verifier.load()
    assert verifier.verify(token()).user_id == "ada"


def test_with_a_url_the_keys_are_fetched(provider: Endpoint, clock: ManualClock) -> None:
    verifier = clerk(clock, jwt_key="", jwks_url=provider.url)
    provider.fail()
    assert not verifier.load()
    with pytest.raises(KeysNotLoaded):
        verifier.verify(token())
    provider.publish("ours")
    clock.advance(5)
    assert verifier.load()
    assert verifier.verify(token()).user_id == "ada"


def test_without_either_they_are_where_the_issuer_says(
    provider: Endpoint, clock: ManualClock
) -> None:
    provider.publish("ours")
    issuer = provider.url.removesuffix("/.well-known/jwks.json")
    verifier = clerk(clock, jwt_key="", issuer=issuer)
    assert verifier.verify(token(iss=issuer)).user_id == "ada"


def test_an_audience_is_asked_only_where_one_is_named(clock: ManualClock) -> None:
    assert clerk(clock).verify(token(aud=None)).user_id == "ada"
    with pytest.raises(InvalidToken, match="audience"):
        clerk(clock, audience="convex").verify(token())


def test_who_has_not_finished_signing_in_is_nobody_yet(clock: ManualClock) -> None:
    assert clerk(clock).verify(token(sts="active")).user_id == "ada"
    with pytest.raises(InvalidToken, match="not complete"):
        clerk(clock).verify(token(sts="pending"))
    assert clerk(clock, allow_pending=True).verify(token(sts="pending")).user_id == "ada"


def test_an_access_token_of_another_kind_is_none_of_clerks(clock: ManualClock) -> None:
    with pytest.raises(InvalidToken, match="header"):
        clerk(clock).verify(token(header={"typ": "at+jwt"}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": ""},
        {"authorized_parties": []},
        {"authorized_parties": [""]},
        {"jwt_key": "no key"},
        {"jwt_key": "", "jwks_url": "http://clerk.example.com/jwks.json"},
        {"jwt_key": "", "issuer": "clerk.example.com"},
    ],
)
def test_what_cannot_be_is_refused_at_the_start(clock: ManualClock, wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        clerk(clock, **wrong)
