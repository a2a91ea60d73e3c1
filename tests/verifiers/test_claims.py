"""What a token must say."""

from typing import Any

import pytest

from tests.verifiers.signing import CLAIMS, ISSUER, NOW, PARTY
from toastkit.errors import ConfigError, InvalidToken, TokenExpired
from toastkit.verifiers.claims import Expected

MS = NOW * 1000


def read(expected: Expected, at: int = MS, **changes: Any) -> str:
    return expected.read({**CLAIMS, **changes}, at).user_id


@pytest.mark.parametrize("aud", ["toasts", ["toasts"], ["billing", "toasts"], ["toasts", 7]])
def test_one_audience_of_several_must_be_ours(aud: object) -> None:
    assert read(Expected(audience=frozenset({"toasts"})), aud=aud) == "ada"


def test_any_of_our_audiences_and_parties_will_do() -> None:
    expected = Expected(audience=frozenset({"web", "ios"}), parties=frozenset({"a", PARTY}))
    assert read(expected, aud="ios") == "ada"


@pytest.mark.parametrize("uid", ["b1", 7, 10**15])
def test_the_id_may_be_another_claim_and_then_a_number_too(uid: object) -> None:
    assert read(Expected(user_claim="uid"), uid=uid) == str(uid)


@pytest.mark.parametrize("uid", [None, True, 1.5, "", [], {}, "anon", "a:b", "a*", 10**300])
def test_whatever_cannot_be_an_id_is_refused(uid: object) -> None:
    with pytest.raises(InvalidToken, match="uid"):
        read(Expected(user_claim="uid"), uid=uid)


def test_ids_of_known_providers_are_ids() -> None:
    for sub in ("user_2abcXYZ", "auth0|5f7c8ec7c33c6c004bbafe82", "google-oauth2|1234"):
        assert read(Expected(), sub=sub) == sub


@pytest.mark.parametrize("name", ["nbf", "iat"])
def test_a_clock_may_be_five_seconds_ahead(name: str) -> None:
    assert read(Expected(), **{name: NOW + 5}) == "ada"
    with pytest.raises(InvalidToken, match="not valid yet"):
        read(Expected(), **{name: NOW + 6})


def test_typ_nbf_and_iat_may_be_absent() -> None:
    assert read(Expected(), nbf=None, iat=None) == "ada"


def test_the_leeway_may_be_another() -> None:
    with pytest.raises(TokenExpired):
        read(Expected(leeway_seconds=0), MS + 60_000)
    assert read(Expected(leeway_seconds=60), MS + 119_999) == "ada"


@pytest.mark.parametrize("exp", [0, -1, NOW - 5, NOW - 86_400.5])
def test_what_was_good_once_is_said_to_be_expired(exp: float) -> None:
    with pytest.raises(TokenExpired):
        read(Expected(), exp=exp)


@pytest.mark.parametrize("time", [float("nan"), float("inf"), -float("inf"), 1e12, True, "1"])
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
def test_what_is_no_time_is_refused(name: str, time: object) -> None:
    with pytest.raises(InvalidToken, match=f"{name} is not a time"):
        read(Expected(), **{name: time})


def test_required_claims_must_be_the_same_to_the_letter_and_the_type() -> None:
    expected = Expected(required={"token_use": "access", "verified": True})
    assert read(expected, token_use="access", verified=True) == "ada"
    for wrong in ({"token_use": "id", "verified": True}, {"token_use": "access", "verified": 1}):
        with pytest.raises(InvalidToken, match="must be here"):
            read(expected, **wrong)
    with pytest.raises(InvalidToken, match="must be here"):
        read(expected)


def test_a_token_for_somebody_else_is_refused_though_it_is_expired_for_nobody() -> None:
    with pytest.raises(InvalidToken, match="another issuer"):
        read(Expected(issuer=ISSUER), iss="https://evil.example")


@pytest.mark.parametrize(
    "wrong", [{"user_claim": ""}, {"leeway_seconds": -1}, {"leeway_seconds": 61}]
)
def test_what_nobody_can_mean_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Expected(**wrong)
