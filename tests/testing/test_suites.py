"""The plugin in a host's own suite, run as the host runs it."""

from __future__ import annotations

import subprocess
import sys
from ast import literal_eval
from importlib import import_module

import pytest
from _pytest.assertion.rewrite import AssertionRewriter

from tests.testing.conftest import Suite

pytestmark = pytest.mark.plain

SHOP = """
    from flask import Flask, session
    from toastkit import publish_toast
    from toastkit.testing import ManualClock
    from toastkit_flask import ToastKit

    toastkit = ToastKit(clock=ManualClock())
    toastkit.user_loader(lambda: session.get("user"))

    def create_app(folder, **config):
        app = Flask("shop", instance_path=str(folder))
        app.config.update(SECRET_KEY="x", TESTING=True, **config)
        toastkit.init_app(app)

        @app.post("/login/<name>")
        def login(name):
            session["user"] = name
            return {}

        @app.post("/orders")
        def order():
            return {"id": publish_toast(session["user"], "Order placed").id}

        return app
"""

CONFTEST = """
    import pytest
    from shop import create_app

    @pytest.fixture(scope="session")
    def app(tmp_path_factory):
        return create_app(tmp_path_factory.mktemp("shop"))

    @pytest.fixture
    def client(app):
        client = app.test_client()
        client.post("/login/ada")
        return client
"""

TESTS = """
    import unittest
    import pytest
    from shop import create_app, publish_toast
    from toastkit.testing import recording

    @pytest.mark.parametrize("time", [1, 2])
    def test_each_test_begins_with_nothing(client, toasts, time):
        assert toasts.all == []
        client.post("/orders")
        assert [each.reason for each in toasts.to("ada").receipts] == ["no_session"]
        assert toasts.controls == []
        toasts.offline("ada")
        toasts.online("ada")
        toasts.websocket(client).__enter__()
        client.post("/orders")
        assert toasts.to("ada").receipts[1].session_count == 2

    def test_a_push(client, toasts):
        toasts.offline("ada")
        client.post("/orders")
        assert toasts.pushed.titles == ["Order placed"]

    def test_a_page(client, toasts):
        with client, toasts.websocket(client) as ws:
            client.post("/orders")
            assert ws.receive()["toast"]["title"] == "Order placed"
            toasts.clock.advance(3600)
            toasts.settle()
            assert ws.closed() == 4001

    def test_within_a_context(app, toasts):
        with app.test_request_context("/"):
            publish_toast(7, "Hi")
        with app.app_context():
            publish_toast("8", "Hi")
            assert toasts.to(7).titles == toasts.to(8).titles == ["Hi"]

    def test_an_app_of_its_own(tmp_path, toasts):
        app = create_app(tmp_path)
        with app.app_context():
            publish_toast("ada", "Hi")
        assert toasts.to("ada").titles == ["Hi"]
        toasts.kit.close()

    def test_asked_for_by_nobody_but_this(toasts):
        assert toasts.to("ada") == []  # the fixture app is made for it

    class Case(unittest.TestCase):
        def test_it(self):
            app = create_app("/nowhere", TOASTKIT_DATABASE_URL="sqlite:///unittest.db")
            with recording(app) as toasts:
                client = app.test_client()
                client.post("/login/ada")
                client.post("/orders")
                self.assertEqual(toasts.to("ada").titles, ["Order placed"])
                toasts.kit.close()
"""


def test_a_hosts_suite_passes_where_gevent_has_patched(suite: Suite) -> None:
    patch = "from gevent import monkey; monkey.patch_all()"
    assert "8 passed" in suite(before=patch, shop=SHOP, conftest=CONFTEST, test_shop=TESTS)


def test_an_app_that_serves_imports_nothing_that_is_for_tests_or_the_doctors() -> None:
    code = "import sys, example_app.factory; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = literal_eval(done.stdout)
    assert [name for name in loaded if name.startswith(("toastkit.testing", "pytest"))] == []
    assert "toastkit_flask.testing" not in loaded
    # A worker examines nothing: fifteen modules that only the command needs.
    assert [name for name in loaded if name.startswith("toastkit.doctor")] == []
    assert "toastkit_flask.doctor" not in loaded


@pytest.mark.parametrize("package", ["toastkit", "toastkit_flask", "example_app"])
def test_who_imports_the_app_first_and_runs_pytest_then_is_not_warned(package: str) -> None:
    # pytest rewrites the asserts of whatever comes with a plugin, and warns where it is too late;
    # in an editable installation it does not, so this asks for what it looks at.
    assert AssertionRewriter.is_rewrite_disabled(import_module(package).__doc__)


def test_a_run_that_does_not_use_it_pays_nothing(suite: Suite) -> None:
    tests = """
        import sys
        import pytest

        @pytest.fixture
        def toasts():
            return "the host's own"

        def test_it(toasts):
            assert toasts == "the host's own"
            assert "toastkit_pytest" in sys.modules
            assert not [name for name in sys.modules if name.partition(".")[0] == "toastkit"]
            assert [1] != [2]
    """
    assert "1 passed" in suite("-W", "error", test_host=tests)
