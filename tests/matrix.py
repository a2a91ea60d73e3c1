"""Every kind of credential a request may show, and what each policy answers to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flask import Flask
from werkzeug.routing import Rule

from toastkit import Kit
from toastkit.identity import TicketRequest
from toastkit_flask.policies import Policy

MISSING, EXPIRED = "Missing Bearer token", "Token expired"
NO_JWT, NO_SESSION = "Invalid token: expected a Clerk JWT", "Invalid token: not a session token"
INVALID, REVOKED = "Invalid token: ", "Invalid token: session revoked"
ANONYMOUS = " requires an authenticated user token; got anonymous session"
NO_KEY = "invalid_publish_key"

Headers = dict[str, str]


@dataclass
class Wallet:
    """Make credentials of one user and of a visitor, by kind; each call makes a fresh one.

    ``jwt`` gives the identity provider's token of a user, ``old_jwt`` one that has expired;
    ``login`` the headers of a page of the host's own, where its user is logged in. ``later`` lets
    time pass for good, so what has expired is made first.
    """

    kit: Kit
    secret: str
    jwt: Callable[[str], str]
    old_jwt: str | None = None
    login: Callable[[str], Headers] | None = None
    visitor: str = "anon:6f9619ff-8b86-4011-b42d-00cf4fc964ff"

    def kinds(self, user: str) -> dict[str, Headers]:
        """Return what a request may show, by what it is."""
        session = self.kit.sessions.mint
        revoked, _ = session(user)
        self.kit.sessions.revoke(revoked)
        wanted = TicketRequest(user, "d", (f"user:{user}",))
        bearers = {
            "session": session(user)[0],
            "anonymous": session(self.visitor)[0],
            "revoked": revoked,
            "unknown": "ms_sess_" + "x" * 43,
            "garbage": "x.y.z",
            "long": "y" * 100_000,
            "jwt": self.jwt(user),
            "ticket": self.kit.identity.tickets.mint(wanted)[0],
            "secret": self.secret,
        }
        if self.old_jwt is not None:
            bearers["old jwt"] = self.old_jwt
        shown = {name: {"Authorization": f"Bearer {token}"} for name, token in bearers.items()}
        shown |= {
            "nothing": {},
            "no bearer": {"Authorization": "Bearer "},
            "basic": {"Authorization": "Basic YWRhOnNlY3JldA=="},
        }
        if self.login is not None:
            page, other = self.login(user), session("eve")[0]
            shown["login"] = page
            shown["another page's login"] = {k: v for k, v in page.items() if k != "X-ToastKit"}
            shown["two users"] = {**page, "Authorization": f"Bearer {other}"}
        return shown


KNOWN = {"session": "", "anonymous": "", "jwt": "", "login": ""}
_NOBODY = {"nothing": MISSING, "no bearer": MISSING, "basic": MISSING}
_USELESS = {
    **_NOBODY,
    "unknown": INVALID,
    "garbage": INVALID,
    "long": INVALID,
    "ticket": INVALID,
    "secret": INVALID,
    "revoked": REVOKED,
    "another page's login": MISSING,
    "two users": INVALID,
    "old jwt": EXPIRED,
}
_ALL = {*KNOWN, *_USELESS}
ANSWERS: dict[Policy, dict[str, str]] = {
    Policy.OPEN: dict.fromkeys(_ALL, ""),
    Policy.PRINCIPAL: {**_USELESS, **KNOWN},
    Policy.USER: {**_USELESS, **KNOWN, "anonymous": ANONYMOUS},
    Policy.PROVIDER: {
        **_USELESS,
        "session": NO_JWT,
        "anonymous": NO_JWT,
        "revoked": NO_JWT,
        "unknown": NO_JWT,
        "jwt": "",
        "login": MISSING,
        "two users": NO_JWT,
    },
    Policy.SESSION: {
        **_USELESS,
        "session": "",
        "anonymous": "",
        "two users": "",
        "login": MISSING,
        **dict.fromkeys(("garbage", "long", "ticket", "secret", "jwt", "old jwt"), NO_SESSION),
    },
    Policy.PUBLISHER: {**dict.fromkeys(_ALL, NO_KEY), "secret": ""},
}
"""What is said to each kind of credential; an empty text: it passes."""


def rules(app: Flask) -> Iterator[tuple[str, Rule]]:
    """Return every path of an app that is not a WebSocket, with each of its methods."""
    for rule in app.url_map.iter_rules():
        if not rule.websocket and not rule.endpoint.endswith("static"):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield method, rule


def policy(app: Flask, rule: Rule) -> Policy | None:
    """Return what a path has declared, or ``None``."""
    found: Policy | None = getattr(app.view_functions[rule.endpoint], "toastkit_policy", None)
    return found


def refusal(app: Flask, method: str, path: str, headers: Headers) -> str:
    """Ask, and return the ``detail`` of a 401; an empty text when the door was passed."""
    client = app.test_client(use_cookies=False)
    response = client.open(path, method=method, headers=headers)
    try:
        assert response.status_code not in {403, 500}, (method, path, response.status_code)
        if response.status_code != 401:
            return ""
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert response.headers["Cache-Control"] == "no-store"
        return str((response.json or {})["detail"])
    finally:
        response.close()


def wrong(expected: str, told: str) -> bool:
    """Tell whether an answer is another than the expected: whole, or how it begins or ends."""
    if expected in {"", MISSING, EXPIRED, NO_JWT, NO_SESSION, REVOKED, NO_KEY}:
        return told != expected
    return not (told.startswith(expected) or told.endswith(expected))
