"""A host's own views behind toastkit's guards: every kind of credential, and nothing in the log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.flask.conftest import MakeApp
from tests.matrix import ANSWERS, Wallet, policy, refusal, rules, wrong
from tests.verifiers.forgeries import NOW, token
from toastkit_flask import current_principal, publisher_required, session_required, user_required
from toastkit_flask.policies import Policy

pytestmark = pytest.mark.plain

GUARDS: dict[str, tuple[Callable[..., Any], Policy]] = {
    "known": (session_required, Policy.PRINCIPAL),
    "signed-in": (user_required, Policy.USER),
    "publisher": (publisher_required, Policy.PUBLISHER),
}


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    app = make_app(gateway="portable")
    for name, (guard, _) in GUARDS.items():
        app.add_url_rule(f"/own/{name}", name, guard(lambda: "mine"))
    app.add_url_rule("/who", "who", session_required(lambda: current_principal().user_id))
    return app


@pytest.fixture
def wallet(app: Flask) -> Wallet:
    return Wallet(
        app.extensions["toastkit"].kit,
        "secret",
        jwt=lambda user: token(sub=user),
        old_jwt=token(exp=NOW - 60, iat=NOW - 120, nbf=NOW - 120),
        login=lambda user: {"X-ToastKit": "1", "X-User": user},
    )


@pytest.mark.parametrize("name", GUARDS)
def test_each_guard_answers_every_kind_of_credential_as_toastkits_own_paths_do(
    app: Flask, wallet: Wallet, name: str
) -> None:
    expected = ANSWERS[GUARDS[name][1]]
    mistakes = []
    for kind, headers in wallet.kinds("ada").items():
        # The document names the path in this one sentence.
        said = expected[kind].replace(" requires", f"{name.capitalize()} requires", 1)
        told = refusal(app, "GET", f"/own/{name}", headers)
        if wrong(expected[kind], told) and told != said:
            mistakes.append((kind, told))
    assert not mistakes


def test_a_guarded_view_knows_who_is_asking_in_every_way(app: Flask, wallet: Wallet) -> None:
    client = app.test_client(use_cookies=False)
    kinds = wallet.kinds("ada")
    found = {kind: client.get("/who", headers=kinds[kind]).text for kind in ("session", "jwt")}
    assert found == {"session": "ada", "jwt": "ada"}
    assert client.get("/who", headers=kinds["login"]).text == "ada"
    assert client.get("/who", headers=kinds["anonymous"]).text == wallet.visitor


def test_no_token_is_logged_whatever_is_asked(
    app: Flask, wallet: Wallet, caplog: pytest.LogCaptureFixture
) -> None:
    kinds = wallet.kinds("ada")
    del kinds["long"]
    client = app.test_client(use_cookies=False)
    with caplog.at_level(logging.DEBUG):
        minted = client.post("/v1/sessions/toast-bootstrap", headers=kinds["session"]).json
        for method, rule in rules(app):
            if policy(app, rule) is not None and "<" not in rule.rule:
                for headers in kinds.values():
                    client.open(rule.rule, method=method, headers=headers).close()
    assert minted is not None
    ticket = minted["ws_url"].partition("token=")[2]
    shown = {
        headers["Authorization"].split()[-1]
        for headers in kinds.values()
        if headers.get("Authorization")
    }
    secrets = {each for each in {*shown, ticket} if len(each) > 8}
    assert len(secrets) > 6
    assert [each for each in secrets if each in caplog.text] == []
