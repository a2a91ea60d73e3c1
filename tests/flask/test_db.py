"""A host with Flask-SQLAlchemy: toastkit in its database, its migrations and its transactions."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, session
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData, make_url, text, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from toastkit import CannotJoin, ConfigError, Kit, publish_toast
from toastkit_flask import ToastKit, hosting

MakeHost = Callable[..., Flask]


class Shop:
    """A host's own objects, made anew for each test: its ``db`` and a model."""

    def __init__(self, **options: Any) -> None:
        class Base(DeclarativeBase):
            metadata = MetaData(**options)

        self.db = SQLAlchemy(model_class=Base)

        class Order(self.db.Model):  # type: ignore[name-defined,misc]
            __tablename__ = "orders"
            id: Mapped[int] = mapped_column(primary_key=True)
            state: Mapped[str] = mapped_column(default="new")

        self.order = Order


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture(params=["sqlite", "postgresql"])
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/shop.db"
        return
    server = request.getfixturevalue("postgres")
    empty = server.empty()
    yield empty.replace("postgresql:", "postgresql+psycopg:")
    server.drop(empty)


@pytest.fixture
def make_host(shop: Shop, uri: str) -> Iterator[MakeHost]:
    apps: list[Flask] = []

    def make(name: str = "shop", **config: Any) -> Flask:
        app = Flask(name)
        app.config.from_mapping(SECRET_KEY="secret", SQLALCHEMY_DATABASE_URI=uri, **config)
        shop.db.init_app(app)
        toastkit = ToastKit(app, db=shop.db)
        toastkit.user_loader(lambda: session.get("user"))
        apps.append(app)
        return app

    yield make
    for app in apps:
        kit_of(app).close()
        with app.app_context():
            for engine in shop.db.engines.values():
                engine.dispose()


@pytest.fixture
def app(make_host: MakeHost, shop: Shop) -> Flask:
    app = make_host()
    with app.app_context():
        shop.db.create_all()
        shop.db.session.add(shop.order())
        shop.db.session.commit()
    return app


def kit_of(app: Flask) -> Kit:
    kit: Kit = app.extensions["toastkit"].kit
    return kit


def titles(app: Flask, user_id: str = "ada") -> list[str]:
    return [each.title for each in reversed(kit_of(app).toasts.list(user_id, 200).items)]


def ask(app: Flask, view: Callable[[], Any]) -> Any:
    """Ask the app for a page, in a thread as a server would."""
    app.add_url_rule(f"/{len(list(app.url_map.iter_rules()))}", view.__name__, view)
    *_, rule = (rule for rule in app.url_map.iter_rules() if rule.endpoint == view.__name__)
    return app.test_client().get(rule.rule)


def test_a_toast_of_a_view_is_committed_with_its_rows(app: Flask, shop: Shop) -> None:
    def order() -> dict[str, Any]:
        shop.db.session.add(shop.order())
        receipt = publish_toast("ada", "Order placed")
        before = titles(app)
        shop.db.session.commit()
        return {"status": receipt.status, "before": before, "after": titles(app)}

    answer = ask(app, order).json
    assert answer == {"status": "queued", "before": [], "after": ["Order placed"]}


def test_a_view_that_forgets_to_commit_says_nothing(app: Flask, shop: Shop) -> None:
    def order() -> str:
        shop.db.session.add(shop.order())
        publish_toast("ada", "Never")
        return ""

    ask(app, order)
    assert titles(app) == []


def test_a_view_that_only_reads_is_heard(app: Flask, shop: Shop) -> None:
    def look() -> str:
        state: str = shop.db.session.get_one(shop.order, 1).state
        assert publish_toast("ada", "Hello").status == "undelivered"
        return state

    assert ask(app, look).text == "new"
    assert titles(app) == ["Hello"]


def test_a_view_that_fails_says_nothing(app: Flask, shop: Shop) -> None:
    def order() -> str:
        shop.db.session.execute(update(shop.order).values(state="paid"))
        publish_toast("ada", "Never")
        raise ZeroDivisionError

    assert ask(app, order).status_code == 500
    assert titles(app) == []


def test_its_session_or_none_may_be_named(app: Flask, shop: Shop) -> None:
    with app.app_context():
        shop.db.session.add(shop.order())
        publish_toast("ada", "At once", db=None)
        publish_toast("ada", "Never", db=shop.db.session)
        shop.db.session.rollback()
        with pytest.raises(CannotJoin, match=r"db\.session"):
            publish_toast("ada", "Never", db=shop.db)
    assert titles(app) == ["At once"]


def test_a_page_is_told_by_the_commit(app: Flask, shop: Shop) -> None:
    kit_of(app).node.serve()
    with app.app_context():
        shop.db.session.add(shop.order())
        publish_toast("ada", "Hello")
        shop.db.session.commit()
    until = time.monotonic() + 5
    states: list[str] = []
    while states != ["undelivered"] and time.monotonic() < until:
        time.sleep(0.01)
        states = [each.state for each in kit_of(app).toasts.list("ada").items]
    assert states == ["undelivered"]


def test_a_task_in_a_thread_has_its_own_transaction(app: Flask, shop: Shop) -> None:
    def task(name: str, commit: bool) -> None:
        with app.app_context():
            shop.db.session.add(shop.order())
            publish_toast("ada", name)
            if commit:
                shop.db.session.commit()

    for name, commit in (("One", True), ("Never", False), ("Two", True)):
        thread = threading.Thread(target=task, args=(name, commit))
        thread.start()
        thread.join()
    assert titles(app) == ["One", "Two"]


def test_another_apps_session_is_not_this_kits(app: Flask, make_host: MakeHost, shop: Shop) -> None:
    other = make_host("other")
    with other.app_context():
        shop.db.session.add(shop.order())
        kit_of(app).publish_toast("ada", "At once")
        shop.db.session.rollback()
    assert titles(app) == ["At once"]


def test_what_is_published_over_http_joins_nothing(make_host: MakeHost, shop: Shop) -> None:
    app = make_host(TOASTKIT_PUBLISH_SECRET="secret")
    with app.app_context():
        shop.db.create_all()

    @app.before_request
    def note() -> None:
        shop.db.session.add(shop.order())  # and whoever should commit it does not

    answer = app.test_client().post(
        "/v1/toasts/publish",
        json={"user_id": "ada", "topic": "user:ada", "toast": {"title": "Hello"}},
        headers={"Authorization": "Bearer secret"},
    )
    assert (answer.status_code, titles(app)) == (202, ["Hello"])


def test_missing_tables_name_the_remedy(make_host: MakeHost, shop: Shop) -> None:
    app = make_host()
    with app.app_context():
        with pytest.raises(ConfigError, match=r"lacks toastkit's tables.* flask db migrate"):
            publish_toast("ada", "Hello")
        shop.db.create_all()
        publish_toast("ada", "Hello")
    assert titles(app) == ["Hello"]


@pytest.mark.parametrize(
    "options",
    [
        {"naming_convention": {"pk": "pk_%(table_name)s", "ix": "ix_%(column_0_label)s"}},
        {"schema": "shop"},
    ],
    ids=["names", "schema"],
)
def test_the_hosts_metadata_may_have_its_own_ways(
    uri: str, options: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    if "schema" in options and uri.startswith("sqlite"):
        pytest.skip("SQLite has no schemas")
    shop = Shop(**options)
    app = Flask("shop")
    app.config["SQLALCHEMY_DATABASE_URI"] = uri
    shop.db.init_app(app)
    ToastKit(app, db=shop.db)
    with app.app_context():
        if "schema" in options:
            shop.db.session.execute(text("CREATE SCHEMA shop"))
            shop.db.session.commit()
        shop.db.create_all()
        shop.db.session.add(shop.order())
        publish_toast("ada", "Hello")
        shop.db.session.commit()
        assert titles(app) == ["Hello"]
        kit_of(app).close()
        shop.db.engine.dispose()


def test_two_apps_share_one_db_object(make_host: MakeHost, shop: Shop) -> None:
    apps = [make_host(name) for name in ("one", "two")]
    with apps[0].app_context():
        shop.db.create_all()
        shop.db.session.add(shop.order())
        publish_toast("ada", "Hello")
        shop.db.session.commit()
    assert [titles(app) for app in apps] == [["Hello"], ["Hello"]]


def test_a_factory_names_db_once(shop: Shop, tmp_path: Path) -> None:
    toastkit = ToastKit(db=shop.db)
    app = Flask("shop")
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path}/shop.db"
    shop.db.init_app(app)
    toastkit.init_app(app)
    assert kit_of(app).config.database_url == f"sqlite:///{tmp_path}/shop.db"
    kit_of(app).close()


def test_db_must_be_set_up_first(shop: Shop) -> None:
    app = Flask("shop")
    with pytest.raises(ConfigError, match=r"db\.init_app\(app\) before"):
        ToastKit().init_app(app, db=shop.db)
    assert "toastkit" not in app.extensions


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///:memory:"])
def test_beside_a_database_in_memory_toasts_have_a_file_of_their_own(
    make_host: MakeHost, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_host()
    assert "in memory" in caplog.text
    with app.app_context():
        shop.db.create_all()
        shop.db.session.add(shop.order())
        publish_toast("ada", "Never")
        shop.db.session.rollback()
        shop.db.session.add(shop.order())
        publish_toast("ada", "Hello")
        assert titles(app) == []
        shop.db.session.commit()
    assert titles(app) == ["Hello"]


def test_a_test_beside_a_database_in_memory_is_not_warned(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    app = Flask("shop")
    app.config.update(SQLALCHEMY_DATABASE_URI="sqlite://", TESTING=True)
    shop.db.init_app(app)
    ToastKit(app, db=shop.db)
    assert not caplog.text


def test_a_database_of_another_kind_names_the_remedy() -> None:
    with pytest.raises(ConfigError, match=r"mysql.*leave db= out"):
        hosting._own(make_url("mysql://localhost/shop"))


def test_a_database_without_a_default_names_the_setting(shop: Shop, tmp_path: Path) -> None:
    app = Flask("shop")
    app.config["SQLALCHEMY_BINDS"] = {"users": f"sqlite:///{tmp_path}/users.db"}
    shop.db.init_app(app)
    with pytest.raises(ConfigError, match="SQLALCHEMY_DATABASE_URI"):
        ToastKit(app, db=shop.db)


@pytest.mark.parametrize("where", ["config", "options"])
def test_two_databases_are_one_too_many(shop: Shop, tmp_path: Path, where: str) -> None:
    app, url = Flask("shop"), f"sqlite:///{tmp_path}/toasts.db"
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path}/shop.db"
    if where == "config":
        app.config["TOASTKIT_DATABASE_URL"] = url
    shop.db.init_app(app)
    options: dict[str, Any] = {"database_url": url} if where == "options" else {}
    with pytest.raises(ConfigError, match="two databases"):
        ToastKit(app, db=shop.db, **options)


def test_what_is_no_flask_sqlalchemy_is_told(shop: Shop) -> None:
    with pytest.raises(ConfigError, match="Flask-SQLAlchemy"):
        ToastKit(Flask("shop"), db=shop.db.session)


@pytest.mark.parametrize(
    ("theirs", "ours", "same"),
    [
        ("sqlite:///shop.db", "sqlite:///{0}/shop.db", True),
        ("sqlite:///{0}/shop.db", "sqlite:///{0}/toasts.db", False),
        (
            "sqlite:///toasts.db",
            "sqlite:///toasts.db",
            False,
        ),  # of the instance folder, and of here
        ("sqlite://", "sqlite:///{0}/toasts.db", False),
        ("postgresql+psycopg2://ada:a@db/shop", "postgresql://bob:b@db:5432/shop", True),
        ("postgresql://db/shop", "postgresql://db/toasts", False),
        ("nonsense", "sqlite:///{0}/toasts.db", False),
        (None, "sqlite:///{0}/toasts.db", False),
    ],
)
def test_migrations_that_would_drop_the_tables_are_warned_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, theirs: str | None, ours: str, same: bool
) -> None:
    pytest.importorskip("flask_migrate")
    app = Flask("shop", instance_path=str(tmp_path))
    app.config["SQLALCHEMY_DATABASE_URI"] = theirs and theirs.format(tmp_path)
    hosting.warn_of_migrations(app, ours.format(tmp_path))
    assert ("would drop" in caplog.text and "ToastKit(app, db=db)" in caplog.text) is same


@pytest.mark.parametrize("migrates", [False, True])
def test_an_app_is_warned_at_its_start_if_it_has_migrations(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    migrates: bool,
) -> None:
    monkeypatch.delitem(sys.modules, "flask_migrate", raising=False)
    if migrates:
        monkeypatch.setitem(sys.modules, "flask_migrate", sys)
    app, url = Flask("shop", instance_path=str(tmp_path)), f"sqlite:///{tmp_path}/shop.db"
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    ToastKit(app, database_url=url)
    assert ("would drop" in caplog.text) is migrates
