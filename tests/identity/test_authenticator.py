from __future__ import annotations

import logging

import pytest

from toastkit.config import Config
from toastkit.errors import (
    ConfigError,
    InvalidPublishKey,
    InvalidToken,
    MissingToken,
    PublishDisabled,
    TokenExpired,
    Unavailable,
)
from toastkit.identity import Authenticator, Credentials
from toastkit.principals import Principal
from toastkit.verifiers.contract import Claims


class Names:
    """Accept one token for one user; raise what it was given for every other."""

    def __init__(self, token="jwt", user_id="ada", otherwise=None):
        self.token, self.user_id = token, user_id
        self.otherwise = otherwise or InvalidToken("not mine")

    def verify(self, token):
        if token != self.token:
            raise self.otherwise
        return Claims(self.user_id)


@pytest.fixture
def authenticator(sessions):
    return Authenticator(sessions, [Names()], Config(publish_secret=("one", "zwei-é")))


def test_B2_a_session_names_its_user_and_itself(authenticator, sessions):
    token, session = sessions.mint("bob")
    expected = Principal("bob", session.token_hash, session.expires_at)
    assert authenticator.authenticate(Credentials(token)) == expected


def test_a_jwt_names_its_user_and_no_session(authenticator):
    assert authenticator.authenticate(Credentials("jwt")) == Principal("ada", None)


def test_the_hosts_login_names_its_user(authenticator):
    assert authenticator.authenticate(Credentials(load_user=lambda: 7)) == Principal("7")


@pytest.mark.parametrize(
    "offered", [Credentials(), *(Credentials(load_user=lambda no=no: no) for no in (None, False))]
)
def test_B17_nobody_asking_is_a_missing_token(authenticator, offered):
    with pytest.raises(MissingToken, match=r"^Missing Bearer token$"):
        authenticator.authenticate(offered)


def test_two_credentials_of_one_user_are_one(authenticator):
    offered = Credentials("jwt", lambda: "ada")
    assert authenticator.authenticate(offered) == Principal("ada")


def test_two_credentials_of_two_users_are_refused(authenticator):
    with pytest.raises(InvalidToken, match="another user"):
        authenticator.authenticate(Credentials("jwt", lambda: "bob"))


def test_a_bad_bearer_is_refused_although_the_login_is_good(authenticator):
    with pytest.raises(InvalidToken):
        authenticator.authenticate(Credentials("mangled", lambda: "ada"))


@pytest.mark.parametrize("found", ["", "a:b", "anon", "a b", "*", 1.5, object(), True])
def test_a_login_with_an_unusable_id_is_refused_and_logged(authenticator, caplog, found):
    with caplog.at_level(logging.WARNING), pytest.raises(InvalidToken):
        authenticator.authenticate(Credentials(load_user=lambda: found))
    assert "user_loader" in caplog.text


def test_a_login_cannot_be_an_anonymous_principal(authenticator):
    anonymous = "anon:0b9d4c1e-7d5f-4a2b-9c3d-1e2f3a4b5c6d"
    with pytest.raises(InvalidToken, match="anon"):
        authenticator.authenticate(Credentials(load_user=lambda: anonymous))


def test_B1_verify_refuses_a_session_token(authenticator, sessions):
    token, _ = sessions.mint("ada")
    with pytest.raises(InvalidToken, match=r"^Invalid token: expected a Clerk JWT$"):
        authenticator.verify(token)


def test_B17_verify_without_a_token(authenticator):
    with pytest.raises(MissingToken):
        authenticator.verify(None)


def test_without_a_verifier_no_jwt_is_good(sessions):
    with pytest.raises(InvalidToken, match="no identity provider"):
        Authenticator(sessions, [], Config()).verify("jwt")


def test_each_verifier_is_asked_until_one_knows_the_token(sessions):
    verifiers = [Names("other"), Names("jwt", "eve")]
    assert Authenticator(sessions, verifiers, Config()).verify("jwt") == Claims("eve")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (InvalidToken("a"), TokenExpired()),
        (TokenExpired(), InvalidToken("a")),
        (Unavailable("b"), TokenExpired()),
    ],
)
def test_the_refusal_that_tells_most_is_told(sessions, first, second):
    verifiers = [Names("x", otherwise=first), Names("y", otherwise=second)]
    with pytest.raises(TokenExpired):
        Authenticator(sessions, verifiers, Config()).verify("jwt")


def test_keys_that_cannot_be_had_are_no_proof_against_a_token(sessions):
    verifiers = [Names("x"), Names("y", otherwise=Unavailable("JWKS not loaded"))]
    with pytest.raises(Unavailable):
        Authenticator(sessions, verifiers, Config()).verify("jwt")


@pytest.mark.parametrize("place", [0, 1])
def test_the_provider_whose_token_it_is_says_what_is_wrong_with_it(sessions, place):
    verifiers = [Names("x", otherwise=InvalidToken("another issuer", foreign=True))] * 2
    verifiers.insert(place, Names("y", otherwise=InvalidToken("issued to another party")))
    with pytest.raises(InvalidToken, match="issued to another party"):
        Authenticator(sessions, verifiers, Config()).verify("jwt")


@pytest.mark.parametrize("secret", ["one", "zwei-é"])
def test_A14_either_secret_publishes(authenticator, secret):
    assert authenticator.ensure_publisher(secret)


def test_every_secret_is_compared_in_constant_time(authenticator, monkeypatch):
    compared = []

    def compare(given, secret):
        compared.append((given, secret))
        return given == secret

    monkeypatch.setattr("toastkit.ids.hmac.compare_digest", compare)
    authenticator.ensure_publisher("one")
    assert compared == [(b"one", b"one"), (b"one", "zwei-é".encode())]


def test_the_name_of_a_publisher_gives_nothing_away(authenticator):
    names = {authenticator.ensure_publisher(secret) for secret in ("one", "zwei-é")}
    assert len(names) == 2
    assert not any("one" in name or "zwei" in name for name in names)


@pytest.mark.parametrize("bearer", [None, "", "One", "one ", "on", "onee", "\udcff", "zwei-e"])
def test_A17_another_bearer_does_not(authenticator, bearer):
    with pytest.raises(InvalidPublishKey) as caught:
        authenticator.ensure_publisher(bearer)
    assert caught.value.detail == "invalid_publish_key"


@pytest.mark.parametrize("secrets", [(), ("",), ("", "  ")])
@pytest.mark.parametrize("bearer", [None, "", "  ", "one"])
def test_A17_a_blank_secret_is_no_secret(sessions, secrets, bearer):
    authenticator = Authenticator(sessions, [], Config(publish_secret=secrets))
    with pytest.raises(PublishDisabled) as caught:
        authenticator.ensure_publisher(bearer)
    assert caught.value.detail == "toast_publish_disabled"


@pytest.mark.parametrize("given", [["https://id.example.com"], "text", Names("ada"), [None], None])
def test_what_is_no_list_of_verifiers_is_told_at_once(sessions, given):
    with pytest.raises(ConfigError, match="verifiers must be a list of verifiers"):
        Authenticator(sessions, given, Config())


def test_a_credential_is_not_shown_by_what_holds_it():
    assert "ms_sess_secret" not in repr(Credentials("ms_sess_secret"))
