"""What exists is documented, and what the documents show runs."""

import inspect
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from example_app import settings
from tests import wheel_check
from toastkit import (
    closing,
    config,
    errors,
    publish_control,
    publish_toast,
    publish_toasts,
)
from toastkit.dialects import toasts

pytestmark = pytest.mark.plain

ROOT = Path(__file__).parent.parent
PAGES = {path.name: path.read_text() for path in [ROOT / "README.md", *ROOT.glob("docs/*.rst")]}
DOCS = "\n".join(PAGES.values())


def run(code: str, place: Path, **environment: str) -> str:
    """Run Python in a process of its own, in an empty folder; return what it printed."""
    known = {"PATH": os.environ["PATH"], "HOME": str(place), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=known | environment,
        cwd=place,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def python(page: str) -> str:
    """Return the Python that a page shows, one block after the other."""
    text = PAGES[page]
    if page.endswith(".md"):
        blocks = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    else:
        blocks = re.findall(r"^\.\. code-block:: python\n\n((?:   .*\n|\n)+)", text, re.MULTILINE)
    return "\n".join(map(textwrap.dedent, blocks))


def spelled(default: Any) -> str:
    """Return a default as the settings page spells it."""
    if isinstance(default, tuple):
        default = ",".join(default)
    text = str(int(default) if isinstance(default, bool) else default)
    return f"``{text}``" if text else "empty"


@pytest.mark.parametrize("page", [page for page in PAGES if python(page)])
def test_the_python_of_a_page_runs(page: str, tmp_path: Path) -> None:
    # A class looks up its module, so the code needs a real one that is not __main__.
    (tmp_path / "example.py").write_text(python(page))
    run("import sys; sys.path.insert(0, '.'); import example", tmp_path)


def test_the_readme_example_shows_a_toast(tmp_path: Path) -> None:
    with wheel_check.serving(wheel_check.example(ROOT / "README.md"), tmp_path) as origin:
        wheel_check.see_a_toast(origin)


def test_the_readme_example_is_short() -> None:
    assert len(wheel_check.example(ROOT / "README.md").splitlines()) <= 25


def test_the_tests_of_the_howto_pass(tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(python("howto.rst"))
    plain = ["-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(tmp_path)]
    said = run(f"import pytest, sys; sys.exit(pytest.main({[*plain, 'example.py']}))", tmp_path)
    assert f"{python('howto.rst').count('def test_')} passed" in said


def test_a_task_of_the_howto_publishes(tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(python("howto.rst"))
    code = """
import sys, threading; sys.path.insert(0, ".")
from werkzeug.serving import make_server
import example
server = make_server("127.0.0.1", 0, example.create_app(), threaded=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(example.tell("ada", {"title": "Your export is ready"}, f"http://127.0.0.1:{server.port}"))
"""
    assert "'no_session'" in run(code, tmp_path, TOASTKIT_PUBLISH_SECRET="secret")


def test_the_mail_of_the_howto_goes_for_what_stays_unread_alone(tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(python("howto.rst"))
    code = """
import os, sys, time; sys.path.insert(0, ".")
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
    first, *rest = run(code, tmp_path).splitlines()
    assert first == "queued [('Unread', ['ada@example.com'])]"
    assert sorted(rest) == ["ada dropped read", "ada sent ", "bob failed no address is known"]


def test_the_slack_of_the_howto_is_told(tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(python("howto.rst"))
    code = """
import os, sys, threading; sys.path.insert(0, ".")
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
    assert run(code, tmp_path).splitlines() == ["{'text': 'ada: Order received'}", "slack"]


@pytest.mark.parametrize("function", [publish_toast, publish_toasts, publish_control])
def test_every_argument_of_a_publish_is_documented(function: Callable[..., Any]) -> None:
    shown = ", ".join(
        "*, topic=None" if name == "topic" else str(argument.replace(annotation=argument.empty))
        for name, argument in inspect.signature(function).parameters.items()
    )
    text = re.sub(r"\s+", " ", PAGES["wire.rst"])
    assert f"{function.__name__}({shown})" in text


def test_no_page_installs_from_an_index() -> None:
    assert not re.search(r"install \S?toastkit", DOCS), "it is not there: pip install '.[flask]'"


def test_every_endpoint_is_documented(tmp_path: Path) -> None:
    code = (
        "from example_app.wsgi import app; print(*(rule.rule for rule in app.url_map.iter_rules()))"
    )
    database = f"sqlite:///{tmp_path}/toasts.db"
    rules = run(code, tmp_path, TOASTKIT_DEMO="1", DATABASE_URL=database).split()
    assert "/v1/toasts/publish" in rules
    paths = {rule.removeprefix("/api") if rule[4:] in rules else rule for rule in rules}
    missing = sorted(path for path in paths if not re.search(rf"{re.escape(path)}(?![\w/])", DOCS))
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("setting", fields(config.Config), ids=lambda setting: setting.name)
def test_every_setting_is_documented_with_its_default(setting: Any) -> None:
    name = config.PREFIX + setting.name.upper()
    row = f"   * - ``{name}``\n     - {spelled(setting.default)}\n     - "
    assert row in PAGES["settings.rst"], f"docs/settings.rst lacks this row:\n{row}..."


def test_no_setting_is_documented_that_is_none() -> None:
    known = {config.PREFIX + setting.name.upper() for setting in fields(config.Config)}
    assert set(re.findall(r"\bTOASTKIT_[A-Z_]*[A-Z]", DOCS)) <= known | config._ELSEWHERE


@pytest.mark.parametrize("variable", settings.VARIABLES, ids=lambda variable: variable.name)
def test_every_variable_of_the_service_is_documented(variable: settings.Variable) -> None:
    assert f"   * - ``{variable.name}``\n     - " in PAGES["settings.rst"]


def error_codes() -> set[str]:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    return {kind.code for kind in kinds if issubclass(kind, errors.ToastKitError)}


@pytest.mark.parametrize("code", sorted(error_codes()))
def test_every_error_code_is_documented(code: str) -> None:
    assert f"``{code}``" in PAGES["errors.rst"]


@pytest.mark.parametrize("reason", closing.CloseReason)
def test_every_close_reason_is_documented_with_its_code(reason: closing.CloseReason) -> None:
    assert f"   * - {toasts.CODES[reason]}\n     - {reason.value}\n" in PAGES["errors.rst"]


@pytest.mark.parametrize("command", ["run", "tests"])
def test_the_readme_has_both_commands(command: str) -> None:
    found = re.findall(rf"<!-- command: {command} -->\n```sh\n(.+)\n```\n", PAGES["README.md"])
    assert len(found) == 1
    assert found[0].startswith("python3 -m venv .venv && .venv/bin/pip install ")
