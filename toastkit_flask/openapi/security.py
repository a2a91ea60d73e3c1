"""What a request may show, by the policy of its door."""

from __future__ import annotations

from typing import Any

from flask import Flask

from .. import logins
from ..guards import OWN_PAGE_HEADER
from ..policies import Policy
from ..state import State

Requirement = dict[str, list[str]]

_SESSION: Requirement = {"session": []}
_JWT: Requirement = {"provider": []}
_LOGIN: Requirement = {"login": [], "own_page": []}


def requirements(policy: Policy, here: State, app: Flask) -> list[Requirement]:
    """Return what a request may show to pass: any one of them. Nothing: it need show nothing."""
    match policy:
        case Policy.PRINCIPAL | Policy.USER:
            known = [_SESSION]
            if here.kit.identity.authenticator.takes_tokens:
                known.append(_JWT)
            if here.hooks.user_loader or logins.has_flask_login(app):
                known.append(_LOGIN)
            return known
        case Policy.SESSION:
            return [_SESSION]
        case Policy.PROVIDER:
            return [_JWT]
        case Policy.PUBLISHER:
            return [{"publish_secret": []}]
        case Policy.TICKET:
            return [{"ticket": []}]
    return []


def schemes(app: Flask) -> dict[str, Any]:
    """Return every kind of credential."""
    return {
        "session": _bearer(
            "An opaque session, as `/auth/session` and `/auth/anonymous` give them, or the program "
            "itself."
        ),
        "provider": _bearer("A token of the identity provider.", bearerFormat="JWT"),
        "publish_secret": _bearer("The publish secret of the service."),
        "ticket": {
            "type": "apiKey",
            "in": "query",
            "name": "token",
            "description": "What a bootstrap gives; it lives for minutes.",
        },
        "login": {
            "type": "apiKey",
            "in": "cookie",
            "name": app.config["SESSION_COOKIE_NAME"],
            "description": "The login of the app itself, by whatever cookie it keeps it in.",
        },
        "own_page": {
            "type": "apiKey",
            "in": "header",
            "name": OWN_PAGE_HEADER,
            "description": "`1`, along with the cookie: no page of another site can send it.",
        },
    }


def _bearer(meaning: str, **more: str) -> dict[str, Any]:
    return {"type": "http", "scheme": "bearer", "description": meaning, **more}
