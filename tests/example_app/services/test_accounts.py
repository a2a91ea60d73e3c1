"""Profiles that make themselves, and credits that add up."""

from typing import Any

import pytest

from example_app.database import Database
from example_app.services.accounts import FREE_CREDITS, Accounts, Grant
from toastkit.testing import ManualClock

VISITOR = "anon:6f9619ff-8b86-4011-b42d-00cf4fc964ff"


@pytest.fixture
def accounts(database: Database, clock: ManualClock) -> Accounts:
    return Accounts(database, clock)


@pytest.mark.parametrize("user", ["ada", VISITOR])
def test_B6_a_profile_is_made_the_first_time_somebody_asks(accounts: Accounts, user: str) -> None:
    for _ in range(2):
        assert accounts.profile(user) == {"name": None, "email": None}
        assert accounts.secrets(user) == {"has_github_pat": False, "has_anthropic_key": False}
        assert accounts.subscription(user) == {
            "plan": "free",
            "credits_used": 0,
            "credits_total": FREE_CREDITS,
        }


def test_B6_signing_in_makes_it_with_what_the_token_says(accounts: Accounts) -> None:
    accounts.signed_in("ada", {"sub": "ada", "name": "Ada Lovelace", "email": "ada@example.com"})
    assert accounts.profile("ada") == {"name": "Ada Lovelace", "email": "ada@example.com"}


def test_a_token_that_says_less_takes_nothing_away(accounts: Accounts) -> None:
    accounts.signed_in("ada", {"name": "Ada", "email": "ada@example.com"})
    accounts.signed_in("ada", {"name": "Ada Lovelace"})
    accounts.signed_in("ada", {})
    assert accounts.profile("ada") == {"name": "Ada Lovelace", "email": "ada@example.com"}


@pytest.mark.parametrize("name", [7, None, "", "  ", "a\x00b", "a\nb", ["Ada"], {"first": "Ada"}])
def test_what_is_no_name_is_none(accounts: Accounts, name: Any) -> None:
    accounts.signed_in("ada", {"name": name})
    assert accounts.profile("ada")["name"] is None


def test_a_name_has_an_end(accounts: Accounts) -> None:
    accounts.signed_in("ada", {"name": "A" * 5000})
    assert accounts.profile("ada")["name"] == "A" * 200


def test_a_grant_counts_once_and_for_one(accounts: Accounts) -> None:
    assert accounts.grant(Grant("g1", "ada", 5))
    assert not accounts.grant(Grant("g1", "ada", 5))
    assert accounts.grant(Grant("g2", "ada", 2))
    assert accounts.subscription("ada")["credits_total"] == FREE_CREDITS + 7
    assert accounts.subscription("grace")["credits_total"] == FREE_CREDITS
