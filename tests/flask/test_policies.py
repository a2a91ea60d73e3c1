"""Every path of the library, with every kind of credential, as its owner and as a stranger."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.flask.conftest import MakeApp
from tests.matrix import ANSWERS, Wallet, policy, refusal, rules, wrong
from tests.verifiers.forgeries import NOW, token
from toastkit_flask.door import Door
from toastkit_flask.policies import Policy

pytestmark = pytest.mark.plain


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app(gateway="portable")  # a test client has no socket to take


@pytest.fixture
def wallet(app: Flask) -> Wallet:
    return Wallet(
        app.extensions["toastkit"].kit,
        "secret",
        jwt=lambda user: token(sub=user),
        old_jwt=token(exp=NOW - 60, iat=NOW - 120, nbf=NOW - 120),
        login=lambda user: {"X-ToastKit": "1", "X-User": user},
    )


def test_a_path_without_a_policy_is_none() -> None:
    with pytest.raises(KeyError, match="policy"):
        Door("d").get("/anything")(lambda: "")


def test_every_path_has_a_policy(app: Flask) -> None:
    assert not [str(rule) for _, rule in rules(app) if policy(app, rule) is None]


def test_every_policy_answers_every_kind_of_credential(wallet: Wallet) -> None:
    kinds = set(wallet.kinds("ada"))
    assert all(set(answers) == kinds for answers in ANSWERS.values())
    assert set(ANSWERS) == set(Policy) - {Policy.TICKET}


def test_every_path_and_every_kind_of_credential(app: Flask, wallet: Wallet) -> None:
    seen, mistakes = 0, []
    for method, rule in rules(app):
        declared = policy(app, rule)
        assert declared is not None
        path = _path(rule, "01J00000000000000000000000")
        for kind, headers in wallet.kinds("ada").items():
            told = refusal(app, method, path, headers)
            seen += 1
            if wrong(ANSWERS[declared][kind], told):
                mistakes.append((method, path, declared.name, kind, told))
    assert not mistakes
    assert seen > 500


@pytest.mark.parametrize("asks", ["session", "jwt", "login", "anonymous"])
def test_a_stranger_reaches_nothing_of_the_owner(app: Flask, wallet: Wallet, asks: str) -> None:
    kit = wallet.kit
    kit.node.serve()  # so that nothing is left to be decided while strangers ask
    id = kit.publish_toast("ada", {"title": "for-ada-alone", "body": "b"}).id
    kit.devices.register("ada", "clerk:ada", None, {"token": "ab" * 32})
    kit.toasts.explain(id)  # behind what is still owed to the toast's row
    before = kit.data.export("ada")
    for method, rule in rules(app):
        headers = wallet.kinds("mallory")[asks]
        path = _path(rule, id)
        for body in _bodies(id):
            given = {} if method == "GET" else {"json": body}
            response = app.test_client().open(path, method=method, headers=headers, **given)
            if "<" in rule.rule and policy(app, rule) is Policy.PRINCIPAL:
                assert response.status_code == 404, (method, path)
            if response.mimetype != "application/x-ndjson":
                assert b"for-ada-alone" not in response.data, (method, path)
                assert b"ab" * 32 not in response.data, (method, path)
            response.close()
    assert kit.data.export("ada") == before


def test_the_owner_reaches_it_by_each_way(app: Flask, wallet: Wallet) -> None:
    id = wallet.kit.publish_toast("ada", "for-ada-alone").id
    for kind in ("session", "jwt", "login"):
        headers = wallet.kinds("ada")[kind]
        client = app.test_client()
        assert [item["id"] for item in client.get("/v1/toasts", headers=headers).json["items"]] == [
            id
        ]
        assert client.post(f"/v1/toasts/{id}/read", headers=headers).status_code == 200
        wallet.kit.devices.register("ada", "phone", None, None)
        items = client.get("/v1/devices", headers=headers).json["items"]
        assert [item["device_id"] for item in items] == ["phone"]
        assert client.delete("/v1/devices/phone", headers=headers).status_code == 200


def _path(rule: Rule, id: str) -> str:
    path = rule.rule.replace("<id>", id).replace("<path:device_id>", "clerk:ada")
    assert "<" not in path
    return path


def _bodies(id: str) -> list[dict[str, Any]]:
    return [
        {},
        {"user_id": "ada", "before": id, "default_topics": ["user:ada", "user:ada:*"]},
        {"device_id": "clerk:ada", "user_id": "ada"},
        {"device_id": "0f8fad5b-d9cb-469f-a165-70867728950e"},
    ]


def test_the_matrix_fails_for_a_door_that_lets_in_too_many(
    app: Flask, wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toastkit_flask.guards._pass", lambda _: ())
    with pytest.raises(AssertionError):
        test_every_path_and_every_kind_of_credential(app, wallet)
