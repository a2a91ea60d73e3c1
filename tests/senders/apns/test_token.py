"""Everybody who has the key shows the same token, and seldom another one."""

from __future__ import annotations

import jwt
import pytest

from tests.apple.papers import Papers
from toastkit.senders.apns import ApnsSettings
from toastkit.senders.apns.token import WINDOW_SECONDS, ProviderToken
from toastkit.testing import ManualClock

pytestmark = pytest.mark.plain

BEGINNING = 600_000 * WINDOW_SECONDS
"""When a window of the clock begins, in seconds."""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(BEGINNING * 1000)


@pytest.fixture
def settings(papers: Papers) -> ApnsSettings:
    return ApnsSettings(team_id="TEAM123456", key_id="KEY1234567", key_file=str(papers.key_file))


@pytest.fixture
def token(settings: ApnsSettings, clock: ManualClock) -> ProviderToken:
    return ProviderToken(settings, clock)


def begun(text: str) -> int:
    at: int = jwt.decode(text, options={"verify_signature": False})["iat"]
    return at - BEGINNING


def test_it_is_what_the_push_service_wants(
    token: ProviderToken, papers: Papers, clock: ManualClock
) -> None:
    text = token.current()
    assert jwt.get_unverified_header(text) == {"alg": "ES256", "kid": "KEY1234567", "typ": "JWT"}
    said = jwt.decode(text, papers.public_key, ["ES256"], options={"verify_iat": False})
    assert said == {"iss": "TEAM123456", "iat": BEGINNING}


def test_every_process_makes_the_same_bytes(
    token: ProviderToken, settings: ApnsSettings, clock: ManualClock
) -> None:
    clock.advance(1234)
    later = ManualClock(clock.now() + 1_000_000)
    assert token.current() == ProviderToken(settings, later).current()


def test_it_lasts_fifty_minutes(token: ProviderToken, clock: ManualClock) -> None:
    first = token.current()
    clock.advance(WINDOW_SECONDS - 1)
    assert token.current() == first
    clock.advance(1)
    assert begun(token.current()) == WINDOW_SECONDS


def test_one_that_was_refused_is_renewed_for_everybody_alike(
    token: ProviderToken, settings: ApnsSettings, clock: ManualClock
) -> None:
    refused = token.current()
    clock.advance(2900)
    renewed = token.renew(refused)
    clock.advance(10)
    another = ProviderToken(settings, clock)
    assert begun(renewed) == 2880
    assert token.renew(refused) == token.current() == another.renew(another.current()) == renewed
    clock.advance(60)
    assert token.renew(refused) == renewed, "the answer to the old one came late"
    clock.advance(40)
    assert begun(token.current()) == WINDOW_SECONDS


def test_a_clock_set_back_makes_no_token_of_the_future(
    token: ProviderToken, clock: ManualClock
) -> None:
    clock.advance(3 * WINDOW_SECONDS)
    token.renew(token.current())
    clock.advance(-3 * WINDOW_SECONDS)
    assert begun(token.current()) == 0
