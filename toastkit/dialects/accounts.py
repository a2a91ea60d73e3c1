"""How the auth document tells what is known of a user (B6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ConfigError

FACTS = ("profile", "subscription", "secrets")
"""The hooks that are asked, in this order: the first one may make the profile."""

_CREDITS = {"plan": "free", "credits_used": 0, "credits_total": 0}
_PERSON = {"name": None, "email": None}
_SECRETS = {"has_github_pat": False, "has_anthropic_key": False}


def account(told: Mapping[str, Mapping[str, Any] | None]) -> dict[str, Any]:
    """Return the body of ``GET /auth/bootstrap`` from what each of the ``FACTS`` said.

    Every documented field is always there. Plan and credits are the same in profile and
    subscription, whichever of them named them; the subscription wins. Secrets become booleans: a
    hook that returns a key by mistake tells only that there is one.

    Raises:
        ConfigError: a hook returned something else than a mapping.
    """
    profile, subscription, secrets = (_mapping(name, told.get(name)) for name in FACTS)
    credits = _CREDITS | _chosen(profile) | _chosen(subscription)
    return {
        "profile": _PERSON | profile | credits,
        "subscription": subscription | credits,
        "secrets": _SECRETS | {name: bool(value) for name, value in secrets.items()},
    }


def _mapping(name: str, said: Mapping[str, Any] | None) -> dict[str, Any]:
    if said is None:
        return {}
    if not isinstance(said, Mapping):
        # Its value is not shown: it may be somebody's secret.
        raise ConfigError(f"the {name} hook must return a mapping or None, not {type(said)}")
    return dict(said)


def _chosen(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: said[name] for name in _CREDITS if name in said}
