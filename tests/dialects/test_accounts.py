"""What is told of an account: every documented field, whatever the host's hooks know."""

from collections.abc import Mapping
from typing import Any

import pytest

from toastkit.dialects import account
from toastkit.errors import ConfigError

NOTHING: dict[str, Mapping[str, Any] | None] = {}


def test_B6_every_documented_field_is_there_and_in_order() -> None:
    told = account(NOTHING)
    assert {name: list(fields) for name, fields in told.items()} == {
        "profile": ["name", "email", "plan", "credits_used", "credits_total"],
        "subscription": ["plan", "credits_used", "credits_total"],
        "secrets": ["has_github_pat", "has_anthropic_key"],
    }


@pytest.mark.parametrize("said", [NOTHING, {"profile": None, "subscription": {}, "secrets": None}])
def test_resolution_14_without_a_word_of_the_host_there_are_defaults(
    said: dict[str, Mapping[str, Any] | None],
) -> None:
    credits = {"plan": "free", "credits_used": 0, "credits_total": 0}
    assert account(said) == {
        "profile": {"name": None, "email": None} | credits,
        "subscription": credits,
        "secrets": {"has_github_pat": False, "has_anthropic_key": False},
    }


def test_B6_the_documents_own_answer() -> None:
    credits = {"plan": "free", "credits_used": 3, "credits_total": 20}
    person = {"name": "Ada Lovelace", "email": "ada@example.com"}
    secrets = {"has_github_pat": True, "has_anthropic_key": False}
    told = account({"profile": person, "subscription": credits, "secrets": secrets})
    assert told == {"profile": person | credits, "subscription": credits, "secrets": secrets}


@pytest.mark.parametrize("who", ["profile", "subscription"])
def test_B6_credits_are_the_same_in_both_whoever_names_them(who: str) -> None:
    told = account({who: {"plan": "pro", "credits_used": 7}})
    for place in ("profile", "subscription"):
        assert (told[place]["plan"], told[place]["credits_used"]) == ("pro", 7)


def test_B6_the_subscription_wins() -> None:
    told = account({"profile": {"plan": "free"}, "subscription": {"plan": "pro"}})
    assert told["profile"]["plan"] == told["subscription"]["plan"] == "pro"


def test_fields_of_the_hosts_own_are_kept() -> None:
    told = account({"profile": {"avatar": "/a.png"}, "subscription": {"renews": "2027-01-01"}})
    assert told["profile"]["avatar"] == "/a.png"
    assert told["subscription"]["renews"] == "2027-01-01"


def test_a_secret_returned_by_mistake_is_not_told() -> None:
    told = account({"secrets": {"has_github_pat": "ghp_marked", "has_slack": "", "n": 1}})
    assert told["secrets"] == {
        "has_github_pat": True,
        "has_anthropic_key": False,
        "has_slack": False,
        "n": True,
    }


@pytest.mark.parametrize("name", ["profile", "subscription", "secrets"])
def test_a_hook_that_returns_no_mapping_is_named_and_what_it_said_is_not(name: str) -> None:
    with pytest.raises(ConfigError, match=f"the {name} hook must return a mapping") as caught:
        account({name: ["ghp_marked"]})  # type: ignore[dict-item]
    assert "ghp_marked" not in str(caught.value)
