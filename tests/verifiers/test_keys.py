"""Which key may verify which algorithm."""

import jwt
import pytest

from tests.verifiers.signing import CLAIMS, jwk, other_jwk, other_key, private_key
from toastkit.errors import InvalidToken
from toastkit.testing import ManualClock
from toastkit.verifiers import StaticVerifier

ALL = ("RS256", "RS512", "PS256", "ES256", "ES384", "EdDSA")
SIGNERS = {
    "ours": private_key(),
    "P-256": other_key(),
    "P-384": other_key("P-384"),
    "Ed25519": other_key("Ed25519"),
}
FITS = {
    "RS256": "ours",
    "RS512": "ours",
    "PS256": "ours",
    "ES256": "P-256",
    "ES384": "P-384",
    "EdDSA": "Ed25519",
}


def published(**extra: object) -> dict[str, object]:
    others = [other_jwk(curve, **extra) for curve in ("P-256", "P-384", "Ed25519")]
    return {"keys": [{**jwk(), "alg": None, **extra}, *others]}


@pytest.mark.parametrize("algorithm", ALL)
def test_a_key_verifies_every_algorithm_of_its_kind(clock: ManualClock, algorithm: str) -> None:
    verifier = StaticVerifier(published(), clock, algorithms=ALL)
    kid = FITS[algorithm]
    made = jwt.encode(CLAIMS, SIGNERS[kid], algorithm, headers={"kid": kid})
    assert verifier.verify(made).user_id == "ada"


@pytest.mark.parametrize("algorithm", ALL)
@pytest.mark.parametrize("kid", SIGNERS)
def test_and_no_other(clock: ManualClock, algorithm: str, kid: str) -> None:
    if FITS[algorithm] == kid:
        return
    verifier = StaticVerifier(published(), clock, algorithms=ALL)
    made = jwt.encode(CLAIMS, SIGNERS[FITS[algorithm]], algorithm, headers={"kid": kid})
    with pytest.raises(InvalidToken, match="signature"):
        verifier.verify(made)


@pytest.mark.parametrize("algorithm", ["RS512", "PS256"])
def test_a_key_for_one_algorithm_verifies_no_other(clock: ManualClock, algorithm: str) -> None:
    verifier = StaticVerifier({"keys": [jwk(alg="RS256")]}, clock, algorithms=ALL)
    made = jwt.encode(CLAIMS, private_key(), algorithm, headers={"kid": "ours"})
    with pytest.raises(InvalidToken, match="signature"):
        verifier.verify(made)


def test_an_algorithm_that_is_not_allowed_is_refused_whatever_the_key(clock: ManualClock) -> None:
    verifier = StaticVerifier(published(), clock, algorithms=("RS256", "ES256"))
    made = jwt.encode(CLAIMS, private_key(), "RS512", headers={"kid": "ours"})
    with pytest.raises(InvalidToken, match="must be ES256 or RS256"):
        verifier.verify(made)


def test_two_keys_of_one_name_are_both_tried(clock: ManualClock) -> None:
    verifier = StaticVerifier({"keys": [jwk("second", kid="ours"), jwk()]}, clock)
    made = jwt.encode(CLAIMS, private_key(), "RS256", headers={"kid": "ours"})
    assert verifier.verify(made).user_id == "ada"
