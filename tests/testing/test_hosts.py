"""A test run of a host's leaves nothing behind: neither threads nor open files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import pages
from tests.embedding.harness import OWN, PLUGIN, run

pytestmark = pytest.mark.plain

MODULE = """
from flask import Flask, session
from toastkit import publish_toast
from toastkit_flask import ToastKit

def create_app():
    app = Flask("host")
    ToastKit(app).user_loader(lambda: "ada")

    @app.post("/orders")
    def order():
        return publish_toast("ada", "Order received").id

    return app
"""
TESTS = """

import pytest
from host import create_app
from toastkit.kit import open_kits

{fixtures}

@pytest.fixture(scope="session", autouse=True)
def before():
    return len(open_kits)

@pytest.mark.parametrize("number", range(4))
def test_an_order(client, before, number):
    assert client.post("/orders").status_code == 200
    assert len(open_kits) == before + 1

def test_nothing_is_left(before):
    assert len(open_kits) == before + {left}
"""
FIXTURES = {
    "one app for each test": (
        """
@pytest.fixture
def app():
    return create_app()

@pytest.fixture
def client(app):
    return app.test_client()
""",
        0,
    ),
    "its client alone": (
        """
@pytest.fixture
def client():
    app = create_app()
    with app.test_client() as client, app.app_context():
        yield client
""",
        0,
    ),
    "one app for all": (
        """
@pytest.fixture(scope="session")
def app():
    return create_app()

@pytest.fixture
def client(app):
    return app.test_client()
""",
        1,
    ),
    "asked for inside another": (
        """
@pytest.fixture(scope="session")
def app():
    return create_app()

@pytest.fixture
def client(request):
    return request.getfixturevalue("app").test_client()
""",
        1,
    ),
    "one app in a cache": (
        """
import functools

@functools.lru_cache
def the_app():
    return create_app()

@pytest.fixture
def client():
    return the_app().test_client()
""",
        1,
    ),
    "one app in what a module holds": (
        """
apps = {}

@pytest.fixture
def client():
    return apps.setdefault("one", apps.get("one") or create_app()).test_client()
""",
        1,
    ),
    "one app in a class": (
        """
class Here:
    app = None

@pytest.fixture
def client():
    Here.app = Here.app or create_app()
    return Here.app.test_client()
""",
        1,
    ),
    "one app in a module, imported late": (
        """
@pytest.fixture
def client():
    from wsgi import application
    return application.test_client()
""",
        1,
    ),
}


UNITTEST = """
import sys
import unittest
import pytest
from host import create_app
from toastkit.kit import open_kits

BEFORE = []

class Orders(unittest.TestCase):
    def setUp(self):
        BEFORE.append(len(open_kits))
        self.client = create_app().test_client()

    def test_one(self):
        assert self.client.post("/orders").status_code == 200

    def test_two(self):
        assert len(open_kits) == BEFORE[-1] + 1
        assert len(set(BEFORE)) == 1

def test_an_app_of_its_own():
    create_app()

class Trap:
    def __getattr__(self, name):
        raise ImportError(name)

def test_what_is_no_module_among_them():
    sys.modules["trap"] = Trap()
    create_app()

def test_what_may_not_be_asked():
    with pytest.raises(AssertionError):
        assert Trap() == 1

def test_nothing_is_left():
    assert len(open_kits) == BEFORE[0]
"""


def test_the_kits_of_tests_are_closed_with_them(tmp_path: Path) -> None:
    (tmp_path / "host.py").write_text(MODULE)
    (tmp_path / OWN).mkdir()
    (tmp_path / OWN / "test_orders.py").write_text(UNITTEST)
    assert run(tmp_path, OWN, *PLUGIN)[OWN] == 6


def test_the_kits_of_fixtures_are_closed_with_them(tmp_path: Path) -> None:
    (tmp_path / "host.py").write_text(MODULE)
    (tmp_path / "wsgi.py").write_text("from host import create_app\napplication = create_app()\n")
    (tmp_path / OWN).mkdir()
    for number, (fixtures, left) in enumerate(FIXTURES.values()):
        text = TESTS.format(fixtures=fixtures, left=left)
        (tmp_path / OWN / f"test_{number}.py").write_text(text)
    assert run(tmp_path, OWN, *PLUGIN)[OWN] == 5 * len(FIXTURES)


CASES = """
import gc, os, sys, threading, unittest
from functools import cache
import host

def used():
    gc.collect()
    return threading.active_count(), len(os.listdir("/proc/self/fd"))

class EachTest(unittest.TestCase):
    def setUp(self):
        self.client = host.create_app().test_client()

    def order(self):
        self.assertEqual(self.client.post("/orders").status_code, 200)

    test_1 = test_2 = test_3 = order

class EachClass(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = host.create_app().test_client()

    test_1 = test_2 = EachTest.order

the_only_app = cache(host.create_app)

class Held(unittest.TestCase):
    def setUp(self):
        self.client = the_only_app().test_client()

    test_1 = test_2 = EachTest.order

def left(*cases):
    suite = unittest.TestSuite(map(unittest.defaultTestLoader.loadTestsFromTestCase, cases))
    assert unittest.TextTestRunner(sys.stdout).run(suite).wasSuccessful()
    return used()
"""


def test_unittest_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "host.py").write_text(MODULE)
    (tmp_path / "cases.py").write_text(CASES)
    ask = "from cases import *; before = left(EachTest); print(before)"
    code = f"{ask}; assert left(EachTest, EachClass, EachTest) == before, used(); left(Held)"
    assert "unable to open" not in pages.run(code, tmp_path)
