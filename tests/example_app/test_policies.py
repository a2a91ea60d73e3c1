"""Every path of the service, with every kind of credential, as its owner and as a stranger."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.matrix import ANSWERS, Wallet, policy, refusal, rules, wrong

pytestmark = pytest.mark.plain

SETTINGS = {"RATE_LIMITS": "0", "TOASTKIT_GATEWAY": "portable"}
"""A test client has no socket to take."""


def test_every_path_has_a_policy(app: Flask) -> None:
    assert not [str(rule) for _, rule in rules(app) if policy(app, rule) is None]


def test_every_path_and_every_kind_of_credential(app: Flask, wallet: Wallet) -> None:
    mistakes = []
    for method, rule in rules(app):
        declared = policy(app, rule)
        assert declared is not None
        path = rule.rule.replace("<id>", "01J00000000000000000000000")
        for kind, headers in wallet.kinds("ada").items():
            told = refusal(app, method, path, headers)
            if wrong(ANSWERS[declared][kind], told):
                mistakes.append((method, path, declared.name, kind, told))
    assert not mistakes


def test_what_is_one_users_is_shown_to_no_other(app: Flask, wallet: Wallet) -> None:
    def ask(method: str, path: str, user: str, **body: object) -> bytes:
        given = {} if method == "GET" else {"json": body}
        headers = {"Authorization": f"Bearer {wallet.kit.sessions.mint(user)[0]}"}
        response = app.test_client().open(path, method=method, headers=headers, **given)
        try:
            return b"" if response.mimetype == "application/x-ndjson" else response.data
        finally:
            response.close()

    assert b"for-ada-alone" in ask("POST", "/projects", "ada", name="for-ada-alone")
    phone = {"device_id": "phone", "apns": {"token": "ab" * 32}}
    assert b"true" in ask("POST", "/v1/devices/register-toast", "ada", **phone)
    wallet.kit.publish_toast("ada", "for-ada-alone")
    for method, rule in rules(app):
        for user in ("mallory", wallet.visitor):
            assert b"for-ada-alone" not in ask(method, rule.rule, user, user_id="ada"), rule
    assert b"for-ada-alone" in ask("GET", "/projects", "ada")
    assert b"for-ada-alone" in ask("GET", "/v1/toasts", "ada")
    assert b"for-ada-alone" in ask("GET", "/demo/pushes", "ada")
