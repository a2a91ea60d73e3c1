"""What the quickstart and the how-to pages show does what they say."""

import os
import re
from pathlib import Path

import pytest

from tests.pages import HOWTOS, furnish, modules, python, run

pytestmark = pytest.mark.plain

PLAIN = ["-p", "no:cacheprovider", "-p", "no:randomly", "-q", "-c", os.devnull]


def test_the_tests_of_the_pages_pass(tmp_path: Path) -> None:
    # All in one process, which takes a tenth of the time; each page is a module of its own.
    pages = [page for page in HOWTOS if python(page)]
    furnish("howto/app.rst", tmp_path)
    for page in pages:
        name = f"test_{Path(page).stem.replace('-', '_')}.py"
        (tmp_path / name).write_text(python(page))
    arguments = [*PLAIN, "--rootdir", str(tmp_path), "-o", "python_files=test_*.py"]
    said = run(f"import pytest, sys; sys.exit(pytest.main({arguments}))", tmp_path)
    wanted = sum(len(re.findall(r"^def test_", python(page), re.MULTILINE)) for page in pages)
    assert f"{wanted} passed" in said


def test_the_tests_of_the_quickstart_pass(tmp_path: Path) -> None:
    place = furnish("quickstart.rst", tmp_path)
    arguments = [*PLAIN, "--rootdir", str(place), "test_shop.py"]
    said = run(f"import pytest, sys; sys.exit(pytest.main({arguments}))", place)
    assert "2 passed" in said


def test_a_block_that_names_its_file_is_that_file() -> None:
    assert set(modules("howto/app.rst")) >= {"shop.py", "conftest.py"}


def test_the_app_that_moved_from_flask_socketio_runs(tmp_path: Path) -> None:
    place = furnish("howto/flask-socketio.rst", tmp_path)
    compile((place / "before.py").read_text(), "before.py", "exec")  # its package is not ours
    code = """
from after import app
browser = app.test_client()
with browser.session_transaction() as login:
    login["user"] = "ada"
browser.post("/orders")
print(browser.get("/v1/toasts", headers={"X-ToastKit": "1"}).json["items"][0]["title"])
"""
    assert run(code, place) == "Order received\n"


def test_a_task_publishes(tmp_path: Path) -> None:
    code = """
import threading
from werkzeug.serving import make_server
import example, shop
server = make_server("127.0.0.1", 0, shop.create_app(), threaded=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(example.tell("ada", {"title": "Your export is ready"}, f"http://127.0.0.1:{server.port}"))
"""
    place = furnish("howto/publish.rst", tmp_path)
    assert "'no_session'" in run(code, place, TOASTKIT_PUBLISH_SECRET="secret")


def test_the_mail_goes_for_what_stays_unread_alone(tmp_path: Path) -> None:
    code = """
import os, time
from flask import Flask
from example import mail, mailing
app = Flask("mailing", instance_path=os.getcwd())
app.config.update(TESTING=True, MAIL_DEFAULT_SENDER="shop@example.com")
app.config.update(TOASTKIT_FALLBACK="apns,email@1s", TOASTKIT_SWEEP_MS=50)
mail.init_app(app)
mailing.init_app(app)
app.test_client().get("/health")  # from now on it serves
with app.app_context(), mail.record_messages() as sent:
    read, unread = (mailing.kit.publish_toast("ada", title) for title in ("Read", "Unread"))
    nobody = mailing.kit.publish_toast("bob", "Not known")
    mailing.kit.toasts.read("ada", read.id)
    while mailing.kit.deliveries.waiting():
        time.sleep(0.05)
    print(unread.status, [(each.subject, each.recipients) for each in sent])
    for each in mailing.kit.deliveries.recent():
        print(each.user_id, each.state, each.last_answer)
    mailing.kit.close()
"""
    first, *rest = run(code, furnish("howto/away.rst", tmp_path)).splitlines()
    assert first == "queued [('Unread', ['ada@example.com'])]"
    assert sorted(rest) == ["ada dropped read", "ada sent ", "bob failed no address is known"]


def test_slack_is_told(tmp_path: Path) -> None:
    code = """
import os, threading
from flask import Flask, request
from werkzeug.serving import make_server
from example import slacking
app = Flask("slacking", instance_path=os.getcwd())
app.post("/hook")(lambda: print(request.json) or "ok")
slacking.init_app(app)
server = make_server("127.0.0.1", 0, app, threaded=True)
os.environ["SLACK_URL"] = f"http://127.0.0.1:{server.port}/hook"
threading.Thread(target=server.serve_forever, daemon=True).start()
app.test_client().get("/health")
with app.app_context():
    print(slacking.kit.publish_toast("ada", "Order received").transport)
    slacking.kit.close()
"""
    said = run(code, furnish("howto/away.rst", tmp_path))
    assert said.splitlines() == ["{'text': 'ada: Order received'}", "slack"]
