"""``flask toastkit …``: the same commands, in the app's context and on its kit."""

from __future__ import annotations

import json

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import inspect

import toastkit.cli
import toastkit_flask.cli
from toastkit.current import kits
from toastkit_flask import ToastKit


def test_every_command_is_there_with_its_options(app):
    commands = app.cli.commands["toastkit"].commands
    assert set(commands) == set(toastkit.cli.group.commands)
    for name, command in toastkit.cli.group.commands.items():
        assert commands[name].params == command.params


def test_a_command_runs_on_the_apps_kit_and_leaves_it_open(make_app):
    for app in (make_app(), make_app()):
        kit = app.extensions["toastkit"].kit
        for _ in range(2):
            id = kit.publish_toast("ada", "Hello").id
            done = app.test_cli_runner().invoke(args=["toastkit", "explain", id])
            assert (done.exit_code, done.stderr) == (0, "")


def test_a_command_runs_in_the_apps_context(app, monkeypatch):
    kit, seen = app.extensions["toastkit"].kit, []
    monkeypatch.setattr(kit.data, "prune", lambda _: seen.append(current_app.name) or {})
    done = app.test_cli_runner().invoke(args=["toastkit", "prune"])
    assert (done.exit_code, seen) == (0, [app.name])
    assert not kit.node.serving


def test_the_apps_settings_count(make_app, clock):
    app = make_app(retention_days=1)
    kit = app.extensions["toastkit"].kit
    kit.node.serve()
    id = kit.publish_toast("ada", "Hello").id
    assert kit.toasts.explain(id).state == "undelivered"  # undecided ones are kept
    clock.advance(2 * 86_400)
    assert app.test_cli_runner().invoke(args=["toastkit", "prune"]).exit_code == 0
    assert kit.toasts.list("ada").items == []


def test_the_kit_is_closed_with_the_process(app, monkeypatch):
    last = []
    monkeypatch.setattr(toastkit_flask.cli.atexit, "register", last.append)
    app.test_cli_runner().invoke(args=["toastkit", "deliveries"])
    kit = app.extensions["toastkit"].kit
    assert kit in kits()
    (end,) = last
    end()
    assert kit not in kits()


def test_tables_of_the_apps_own_are_made_by_its_migrations(tmp_path):
    app = Flask("host", instance_path=str(tmp_path))
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path}/shop.db"
    db = SQLAlchemy(app)
    ToastKit(app, db=db)

    def upgrade(*words):
        return app.test_cli_runner().invoke(args=["toastkit", "upgrade", *words])

    for done in (upgrade(), upgrade("--sql")):
        assert (done.exit_code, done.stdout) == (1, "")
        assert "flask db upgrade" in done.stderr
    with app.app_context():
        db.create_all()
    done = upgrade("--json")
    assert (done.exit_code, json.loads(done.stdout)["hosts"]) == (0, True)
    with app.app_context():
        assert not inspect(db.engine).has_table("toastkit_alembic_version")
        db.engine.dispose()
    app.extensions["toastkit"].kit.close()


def test_an_app_may_have_a_group_of_that_name(tmp_path):
    app = Flask("host", instance_path=str(tmp_path))
    mine = app.cli.command("toastkit")(lambda: None)
    ToastKit(app)
    assert app.cli.commands["toastkit"] is mine
