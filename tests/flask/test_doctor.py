"""``flask toastkit doctor`` looks at the app it runs in; nothing of the app is changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from flask import Flask, session
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

from tests.doctor.known import anywhere
from tests.postgres import ask
from toastkit.storage.upgrade import HEAD
from toastkit_flask import ToastKit

pytestmark = pytest.mark.plain

GOOD = {"TOASTKIT_PUBLISH_SECRET": "k" * 20, "TOASTKIT_CONNECTIONS": 100}


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch, tmp_path):
    anywhere(monkeypatch, tmp_path)


@pytest.fixture
def make(tmp_path):
    """Make a host's app; ``change`` has it before toastkit is set up, ``login`` names a loader."""
    apps = []

    def make(change=None, *, login=True, db=None, given=None, **config):
        app = Flask("shop", instance_path=str(tmp_path / "instance"))
        app.config.update(GOOD, **config)
        if change is not None:
            change(app)
        if db is not None:
            db.init_app(app)
        toastkit = ToastKit(app, db=db, **(given or {}))
        if login:
            toastkit.user_loader(lambda: session.get("user"))
        apps.append(app)
        return app

    yield make
    for app in apps:
        app.extensions["toastkit"].kit.close()


def examined(app, *words):
    done = app.test_cli_runner().invoke(args=["toastkit", "doctor", "--json", *words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return json.loads(done.stdout)


def wrong(app):
    """Return what is wrong as (level, name) pairs; each has a remedy."""
    found = [each for each in examined(app)["findings"] if each["level"] in {"warn", "fail"}]
    assert all(each["remedy"] for each in found), found
    return [(each["level"], each["name"]) for each in found]


def source(app, name):
    return next(each for each in examined(app)["settings"] if each["name"] == name)["source"]


def test_a_good_app_has_nothing_wrong(make):
    app = make()
    assert wrong(app) == []
    assert source(app, "database_url") == "the app's instance folder"
    assert source(app, "connections") == "TOASTKIT_CONNECTIONS in app.config"
    assert source(app, "confirm_ms") == "default"


def test_a_setting_may_be_given_to_toastkit(make):
    assert source(make(given={"confirm_ms": 7}), "confirm_ms") == "ToastKit(confirm_ms=...)"
    both = make(given={"confirm_ms": 7}, TOASTKIT_CONFIRM_MS=9)
    assert source(both, "confirm_ms") == "TOASTKIT_CONFIRM_MS in app.config"


def test_a_key_that_is_no_setting_is_told(make, monkeypatch):
    with pytest.warns(UserWarning, match="TOASTKIT_CONFRIM_MS"):
        app = make(TOASTKIT_CONFRIM_MS=5)
    monkeypatch.setenv("TOASTKIT_DUES_MS", "5")
    assert wrong(app) == [("warn", "settings")] * 2


def test_a_key_of_the_environment_does_nothing(make, monkeypatch):
    monkeypatch.setenv("TOASTKIT_DUE_MS", "77")
    app = make()
    assert wrong(app) == [("warn", "settings")]
    assert app.extensions["toastkit"].kit.config.due_ms != 77


@pytest.mark.parametrize("way", ["one key", "all of them"])
def test_both_remedies_for_that_work(make, monkeypatch, way):
    monkeypatch.setenv("TOASTKIT_DUE_MS" if way == "one key" else "FLASK_TOASTKIT_DUE_MS", "77")

    def remedy(app):
        if way == "one key":
            app.config["TOASTKIT_DUE_MS"] = os.environ["TOASTKIT_DUE_MS"]
        else:
            app.config.from_prefixed_env()

    app = make(remedy)
    assert wrong(app) == []
    assert app.extensions["toastkit"].kit.config.due_ms == 77


def test_a_key_for_flask_that_the_app_does_not_read_is_told(make, monkeypatch):
    monkeypatch.setenv("FLASK_TOASTKIT_DUE_MS", "77")
    assert wrong(make()) == [("warn", "settings")]


def test_a_key_that_is_changed_later_does_nothing(make):
    app = make(TOASTKIT_DUE_MS=5)
    app.config.update(TOASTKIT_DUE_MS=7, TOASTKIT_CONFIRM_MS=9)
    assert wrong(app) == [("warn", "settings")] * 2


def test_a_database_of_the_environment_is_not_used(make, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://shop:hush@db/shop")
    app = make()
    assert wrong(app) == [("warn", "settings")]
    assert "hush" not in json.dumps(examined(app))


def test_a_redis_of_the_environment_is_not_used_and_nothing_wrong(make, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://:hush@127.0.0.1:9/0")
    app = make()
    assert wrong(app) == []
    [told] = [each for each in examined(app)["findings"] if "REDIS_URL" in each["text"]]
    assert (told["level"], "hush" in json.dumps(examined(app))) == ("info", False)


def test_a_redis_that_is_named_is_looked_at(make, monkeypatch, redis_server):
    monkeypatch.setenv("REDIS_URL", "redis://:hush@127.0.0.1:9/0")
    app = make(TOASTKIT_REDIS_URL=redis_server.url)
    assert wrong(app) == []
    found = [each for each in examined(app)["findings"] if each["name"] == "redis"]
    assert [each["level"] for each in found] == ["ok"]
    assert not [each for each in examined(app)["findings"] if "not toastkit's" in each["text"]]
    assert source(app, "redis_url") == "TOASTKIT_REDIS_URL in app.config"


def test_a_database_of_the_environment_says_nothing_where_another_is_named(
    make, monkeypatch, tmp_path
):
    monkeypatch.setenv("DATABASE_URL", "postgresql://shop:hush@db/shop")
    assert wrong(make(TOASTKIT_DATABASE_URL=f"sqlite:///{tmp_path}/toasts.db")) == []


def test_an_app_where_nobody_can_sign_in_fails(make):
    assert wrong(make(login=False)) == [("fail", "login")]


@pytest.mark.parametrize(
    ("loads", "secret", "expected"),
    [
        (True, "s", []),
        (False, "s", [("fail", "login")]),
        (True, None, [("fail", "login")]),
    ],
)
def test_flask_login_needs_a_loader_and_a_secret(make, loads, secret, expected):
    def change(app):
        manager = LoginManager(app)
        if loads:
            manager.user_loader(lambda name: None)

    assert wrong(make(change, login=False, SECRET_KEY=secret)) == expected


@pytest.mark.parametrize(
    ("secret", "level"),
    [(("k" * 20,), "ok"), (("k" * 20, "short"), "warn"), (("toast_publish_secret",), "warn")],
)
def test_a_secret_that_can_be_guessed_is_told_and_not_shown(make, secret, level):
    app = make(TOASTKIT_PUBLISH_SECRET=secret)
    findings = [each for each in examined(app)["findings"] if each["name"] == "publish"]
    assert [each["level"] for each in findings] == [level]
    assert not any(each in json.dumps(examined(app)) for each in secret if each != "short")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"TOASTKIT_PUBLIC_URL": "http://127.0.0.1:5000"}, []),
        ({"TOASTKIT_PUBLIC_URL": "http://shop.example.com"}, [("warn", "origins")]),
        ({"TOASTKIT_ALLOWED_ORIGINS": "http://shop.example.com"}, [("warn", "origins")]),
        (
            {
                "TOASTKIT_PUBLIC_URL": "http://localhost",
                "TOASTKIT_TRUSTED_HOSTS": "shop.example.com",
            },
            [("fail", "origins")],
        ),
    ],
)
def test_origins_are_plausible(make, config, expected):
    assert wrong(make(**config)) == expected


def test_a_path_that_the_app_has_too_fails(make):
    app = make()
    app.add_url_rule("/auth/session", "mine", lambda: "mine", methods=["POST"])
    assert wrong(app) == [("fail", "paths")]


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize(
    ("fix", "expected"),
    [({}, [("warn", "proxy")]), ({"x_for": 1}, []), ({"x_for": 0}, [("warn", "proxy")])],
)
def test_behind_https_the_proxy_must_be_believed(make, fix, expected, wrapped):
    app = make(TOASTKIT_PUBLIC_URL="https://shop.example.com")
    if fix:
        app.wsgi_app = ProxyFix(app.wsgi_app, **fix)
    if wrapped:
        app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {})
    assert wrong(app) == expected


def test_csrf_protection_lets_toastkit_through(make):
    app = make(CSRFProtect, SECRET_KEY="s")
    found = [each for each in examined(app)["findings"] if each["name"] == "csrf"]
    assert [each["level"] for each in found] == ["ok"]
    assert publish(app).status_code == 202


def test_another_csrf_protection_is_told(make):
    def change(app):
        app.extensions["csrf"] = object()

    app = make(change)
    assert wrong(app) == [("warn", "csrf")]
    assert publish(app).status_code == 202


def publish(app):
    body = {"user_id": "ada", "topic": "user:ada", "toast": {"title": "hello"}}
    headers = {"Authorization": f"Bearer {'k' * 20}"}
    return app.test_client().post("/v1/toasts/publish", json=body, headers=headers)


def uri(url):
    return url.replace("postgresql:", "postgresql+psycopg:")


@pytest.fixture
def shared(make):
    """Make an app that has toastkit's tables in its own database, and that database."""
    made = []

    def shared(url):
        db = SQLAlchemy()
        made.append((make(db=db, SQLALCHEMY_DATABASE_URI=uri(url)), db))
        return made[-1]

    yield shared
    for app, db in made:
        with app.app_context():
            db.engine.dispose()


def test_a_hosts_migrations_make_the_tables(shared, url):
    app, db = shared(url)
    for table in ("toastkit_alembic_version", "toastkit_devices"):
        ask(url, f"DROP TABLE {table}")
    assert wrong(app) == [("fail", "database")]
    with app.app_context():
        db.create_all()
    assert wrong(app) == []
    assert source(app, "database_url") == "ToastKit(db=...)"


def test_a_hosts_database_without_tables_fails(shared, tmp_path):
    file = tmp_path / "shop.db"
    file.touch()
    app, _ = shared(f"sqlite:///{file}")
    assert wrong(app) == [("fail", "database")]


CHANGE = "UPDATE toastkit_alembic_version SET version_num = '{}'"


@pytest.mark.parametrize(("version", "level"), [("0001", "warn"), ("9999", "fail")])
def test_another_schema_is_told(make, url, version, level):
    app = make(TOASTKIT_DATABASE_URL=url)
    ask(url, CHANGE.format(version))
    assert wrong(app) == [(level, "database")]
    ask(url, CHANGE.format(HEAD))  # a server's database is lent again


def test_a_database_that_is_away_hides_nothing_else(make):
    app = make(TOASTKIT_DATABASE_URL="postgresql://shop@127.0.0.1:1/shop", login=False)
    assert wrong(app) == [("fail", "database"), ("fail", "login")]


GREEN = """
from gevent import monkey; monkey.patch_all()
import os
from flask import Flask
from toastkit_flask import ToastKit
app = Flask("shop")
app.config["TOASTKIT_DATABASE_URL"] = os.environ["URL"]
ToastKit(app)
"""


def test_an_app_that_gevent_has_patched_is_examined_like_another(tmp_path, postgres):
    (tmp_path / "shop.py").write_text(GREEN)
    url = postgres.lend()
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "flask",
            "--app",
            "shop",
            "toastkit",
            "doctor",
            "--gunicorn",
            "-w 2",
        ],
        cwd=tmp_path,
        env={"URL": url, "PYTHONPATH": ":".join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    postgres.take_back(url)
    assert done.returncode == 1
    for text in (
        "at head",
        "agrees with the database server's",
        "2 workers",
        "lets gevent replace",
    ):
        assert text in done.stdout
    assert "imported before" not in done.stdout  # what the command itself needs is no mistake


def test_two_apps_are_examined_each_for_itself(make):
    one, two = make(TOASTKIT_DUE_MS=5), make(TOASTKIT_DUE_MS=7)
    for app, value in ((one, "5"), (two, "7")):
        found = {each["name"]: each["value"] for each in examined(app)["settings"]}
        assert found["due_ms"] == value
