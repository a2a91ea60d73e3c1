"""Where an app's toasts are kept when nobody names a database."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import pytest
from flask import Flask

from toastkit import ConfigError, publish_toast
from toastkit_flask import ToastKit
from toastkit_flask.places import PLUGIN

pytestmark = pytest.mark.plain


@pytest.fixture
def no_test(monkeypatch):
    """Let this process be no test run."""
    monkeypatch.delitem(sys.modules, PLUGIN, raising=False)


@pytest.fixture
def test_run(monkeypatch):
    monkeypatch.setitem(sys.modules, PLUGIN, sys)


def host(folder: Path, **config: object) -> Flask:
    app = Flask("host", instance_path=str(folder))
    app.config.update(config)
    ToastKit(app)
    return app


def url(app: Flask) -> str:
    found: str = app.extensions["toastkit"].kit.config.database_url
    return found


def test_by_default_the_toasts_are_kept_in_the_instance_folder(tmp_path, no_test):
    app = host(tmp_path / "new" / "instance")
    assert url(app) == f"sqlite:///{tmp_path}/new/instance/toastkit.db"
    assert Path(app.instance_path).is_dir()
    assert not list(Path(app.instance_path).iterdir())


def test_an_instance_folder_that_cannot_be_made_names_the_setting(tmp_path, no_test):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="TOASTKIT_DATABASE_URL"):
        host(tmp_path / "file" / "instance")


def test_a_test_keeps_out_of_the_instance_folder(tmp_path, no_test):
    apps = [host(tmp_path / "instance", TESTING=True) for _ in range(2)]
    assert not (tmp_path / "instance").exists()
    assert url(apps[0]) != url(apps[1])


def test_an_app_of_a_test_run_that_is_not_told_does_so_too(tmp_path, test_run):
    host(tmp_path / "instance")
    assert not (tmp_path / "instance").exists()


def test_the_file_of_a_test_is_deleted_with_its_app(tmp_path, no_test):
    app = host(tmp_path, TESTING=True)
    with app.app_context():
        publish_toast("ada", "Hello")
    file = Path(url(app).removeprefix("sqlite:///"))
    assert file.exists()
    app.extensions["toastkit"].kit.close()
    del app
    gc.collect()
    assert not file.parent.exists()


def test_a_child_does_not_delete_what_its_parent_works_with(tmp_path, no_test, monkeypatch):
    app = host(tmp_path, TESTING=True)
    folder = Path(url(app).removeprefix("sqlite:///")).parent
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: -1)
        del app
        gc.collect()
    assert folder.exists()
    folder.rmdir()


def test_two_apps_in_one_folder_are_told_that_their_users_are_the_same(tmp_path, no_test, caplog):
    one, two = (Flask(name, instance_path=str(tmp_path)) for name in ("shop", "admin"))
    ToastKit(one)
    assert not caplog.text
    ToastKit(two)
    assert "shop and admin keep their toasts in one file" in caplog.text
    assert "TOASTKIT_DATABASE_URL" in caplog.text


def test_a_factory_that_is_called_twice_is_not(tmp_path, no_test, caplog):
    apps = [host(tmp_path) for _ in range(2)]
    assert url(apps[0]) == url(apps[1])
    assert not caplog.text
