from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy

from tests.publishing.test_deliveries import eventually
from toastkit import Config, ConfigError, NoKit, current_kit, publish_toast
from toastkit.deliveries import Sent
from toastkit.senders import RecordingSender
from toastkit.testing import ManualClock
from toastkit_flask import ToastKit


def test_one_line_sets_an_app_up(tmp_path):
    app = Flask("host", instance_path=str(tmp_path / "instance"))
    toastkit = ToastKit(app)
    with app.app_context():
        assert toastkit.kit is app.extensions["toastkit"].kit
        toastkit.kit.close()


@pytest.mark.parametrize("where", ["config", "options"])
def test_another_database_leaves_the_instance_folder_alone(tmp_path, where):
    app, url = (
        Flask("host", instance_path=str(tmp_path / "instance")),
        f"sqlite:///{tmp_path}/my.db",
    )
    if where == "config":
        app.config["TOASTKIT_DATABASE_URL"] = url
    ToastKit(app, **({"database_url": url} if where == "options" else {}))
    assert not Path(app.instance_path).exists()


def test_settings_come_from_app_config_before_options(tmp_path):
    app = Flask("host", instance_path=str(tmp_path))
    app.config["TOASTKIT_CONFIRM_MS"] = 5
    ToastKit(app, confirm_ms=7, due_ms=9)
    config = app.extensions["toastkit"].kit.config
    assert (config.confirm_ms, config.due_ms) == (5, 9)


def test_an_unknown_setting_is_warned_about_with_the_nearest(tmp_path):
    app = Flask("host", instance_path=str(tmp_path))
    app.config["TOASTKIT_CONFIRM_SM"] = 5
    with pytest.warns(UserWarning, match="TOASTKIT_CONFIRM_MS"):
        ToastKit(app)


def test_a_setting_that_comes_too_late_is_warned_about(tmp_path, caplog):
    app = Flask("host", instance_path=str(tmp_path))
    app.config["TOASTKIT_DUE_MS"] = 5
    ToastKit(app).user_loader(lambda: None)
    app.config.update(TOASTKIT_DUE_MS=6, TOASTKIT_PUBLISH_SECRET="x", SECRET_KEY="y")
    app.test_client().get("/health")
    assert "TOASTKIT_DUE_MS, TOASTKIT_PUBLISH_SECRET changed after ToastKit(app)" in caplog.text
    app.extensions["toastkit"].kit.close()


@pytest.mark.parametrize("give", [ToastKit, lambda db: ToastKit().init_app(db)])
def test_what_is_no_app_names_the_remedy(give):
    with pytest.raises(ConfigError, match=r"not SQLAlchemy: ToastKit\(app, db=db\)"):
        give(SQLAlchemy())


def test_init_app_lists_every_key_it_reads():
    listed = set(re.findall(r"``([A-Z_]+)``", ToastKit.init_app.__doc__ or ""))
    known = {setting.name.upper() for setting in fields(Config)}
    assert listed - {"TOASTKIT_", "TOASTKIT_DATABASE_URL"} == known


@pytest.mark.parametrize(
    "again", [lambda kit, app: kit.init_app(app), lambda _, app: ToastKit(app)]
)
def test_setting_up_twice_explains_itself(tmp_path, again):
    app = Flask("host", instance_path=str(tmp_path))
    toastkit = ToastKit(app)
    with pytest.raises(ConfigError, match="once for each app"):
        again(toastkit, app)


def test_a_failed_setup_leaves_nothing_behind(tmp_path):
    app = Flask("host", instance_path=str(tmp_path))
    with pytest.raises(ConfigError):
        ToastKit(app, surfaces=("tosts",))
    assert "toastkit" not in app.extensions


def test_one_object_serves_two_apps_and_keeps_neither(tmp_path):
    toastkit = ToastKit()
    apps = [Flask(name, instance_path=str(tmp_path / name)) for name in ("one", "two")]
    for app in apps:
        toastkit.init_app(app)
    kits = [app.extensions["toastkit"].kit for app in apps]
    assert kits[0] is not kits[1]
    for app, kit in zip(apps, kits, strict=True):
        with app.app_context():
            assert toastkit.kit is kit
    assert not any(app in vars(toastkit).values() for app in apps)


def test_two_apps_do_not_hear_each_other(make_app, ada, publisher):
    one, two = make_app().test_client(), make_app().test_client()
    body = {"user_id": "ada", "topic": "user:ada", "toast": {"title": "for one"}}
    assert one.post("/v1/toasts/publish", json=body, headers=publisher).status_code == 202
    assert len(one.get("/v1/toasts", headers=ada).json["items"]) == 1
    assert two.get("/v1/toasts", headers=ada).json["items"] == []


def test_the_kit_of_an_app_without_toastkit_names_the_remedy():
    toastkit = ToastKit()
    with Flask("bare").app_context(), pytest.raises(NoKit, match="init_app"):
        _ = toastkit.kit


def test_A18_publish_toast_finds_the_current_apps_kit(make_app, ada):
    app, other = make_app(), make_app()
    with app.app_context():
        assert current_kit() is app.extensions["toastkit"].kit
        receipt = publish_toast("ada", "Order placed")
    items = app.test_client().get("/v1/toasts", headers=ada).json["items"]
    assert [item["id"] for item in items] == [receipt.id]
    assert items[0]["topic"] == "user:ada"
    assert other.test_client().get("/v1/toasts", headers=ada).json["items"] == []


def test_hooks_may_be_named_after_init_app(tmp_path):
    app = Flask("host", instance_path=str(tmp_path))
    toastkit = ToastKit(app)

    @toastkit.user_loader
    def who() -> str:
        return "late"

    @toastkit.authorize
    def rule(user_id: str, action: str, topic: str) -> bool:
        return topic != "secret"

    client = app.test_client()
    body = {"default_topics": ["secret", "open"]}
    answer = client.post(
        "/v1/sessions/toast-bootstrap", json=body, headers={"X-ToastKit": "1"}
    ).json
    assert answer["default_topics"] == ["open"]
    app.extensions["toastkit"].kit.close()
    assert who() == "late"
    assert rule("late", "subscribe", "open")


def test_one_of_several_workers_never_says_that_nobody_is_there(make_app, publisher, caplog):
    client = make_app().test_client()
    body = {"user_id": "ada", "topic": "user:ada", "toast": {"title": "Hello"}}
    answer = client.post(
        "/v1/toasts/publish",
        json=body,
        headers=publisher,
        environ_overrides={"wsgi.multiprocess": True},
    )
    assert (answer.status_code, answer.json["status"]) == (202, "queued")
    assert "Set TOASTKIT_REDIS_URL" in caplog.text


def test_an_app_nobody_can_sign_in_to_says_so(tmp_path, caplog):
    app = Flask("host", instance_path=str(tmp_path))
    ToastKit(app)
    app.test_client().get("/health")
    assert "@toastkit.user_loader" in caplog.text


def test_each_hook_is_named_by_a_decorator_which_gives_the_function_back(tmp_path):
    toastkit = ToastKit(Flask("host", instance_path=str(tmp_path)))
    hooks = toastkit._hooks
    for name in ("user_loader", "authorize", "signed_in", "profile", "subscription", "secrets"):
        assert getattr(toastkit, name)(print) is print
        assert getattr(hooks, name) is print
    toastkit.register_control("usage.changed", "/v1/usage")
    assert hooks.controls == {"usage.changed": "/v1/usage"}
    with pytest.raises(ConfigError, match="/v1/usage"):
        toastkit.register_control("usage.changed", "/v2/usage")


def test_a_sender_is_called_in_its_apps_context(tmp_path):
    class Mail:
        kind = "mail"

        def __init__(self):
            self.apps = []

        def post(self, delivery):
            self.apps.append(current_app.name)
            return Sent()

    mail = Mail()
    app = Flask("shop", instance_path=str(tmp_path))
    ToastKit(app, senders=[mail], sweep_ms=20)
    app.test_client().get("/health")
    with app.app_context():
        kit = current_kit()
        kit.deliveries.owe("mail", {})
    eventually(lambda: kit.deliveries.recent(state="sent"))
    assert mail.apps == ["shop"]
    kit.close()


def test_the_clock_of_one_app_takes_the_place_of_the_objects(tmp_path):
    toastkit, clock = ToastKit(), ManualClock()
    app = Flask("test", instance_path=str(tmp_path))
    toastkit.init_app(app, clock=clock)
    with app.app_context():
        assert toastkit.kit.node.clock is clock
        toastkit.kit.close()


@pytest.mark.parametrize(
    ("name", "guess"), [("surface", "; did you mean surfaces?"), ("loader", "")]
)
def test_an_option_that_is_none_is_told_where_it_is_written(name, guess):
    with pytest.raises(TypeError, match=rf"^ToastKit\(\) has no option {name}{re.escape(guess)}$"):
        ToastKit(**{name: "toasts"})


def test_a_user_loader_like_Flask_Logins_is_refused_where_it_is_named():
    toastkit = ToastKit()
    with pytest.raises(ConfigError, match=r"load_user\(\) .* without arguments"):

        @toastkit.user_loader
        def load_user(user_id):
            return user_id


@pytest.mark.parametrize("loader", [lambda: "ada", lambda user="ada": user, str, "ada".upper])
def test_a_user_loader_may_be_whatever_can_be_called_without_arguments(loader):
    assert ToastKit().user_loader(loader) is loader


HOOKS = ("user_loader", "authorize", "signed_in", "profile", "subscription", "secrets")


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_that_would_have_to_be_awaited_is_refused_where_it_is_named(name):
    async def hook() -> None: ...

    with pytest.raises(ConfigError, match=rf"^{name}: hook\(\) is async"):
        getattr(ToastKit(), name)(hook)


def test_senders_of_one_app_take_the_place_of_the_objects(tmp_path):
    toastkit = ToastKit(senders=[RecordingSender("email")])
    kinds = []
    for name, given in (("shop", None), ("test", [RecordingSender("apns")])):
        app = Flask(name, instance_path=f"{tmp_path}/{name}")
        toastkit.init_app(app, senders=given)
        with app.app_context():
            kinds.append(toastkit.kit.deliveries.kinds)
            toastkit.kit.close()
    assert kinds == [("email",), ("apns",)]
