"""What exists is documented, and what the documents show runs."""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from blinker import NamedSignal

from example_app import settings
from tests import wheel_check
from tests.pages import DOCS, HOWTOS, PAGES, ROOT, TEXT, furnish, modules, run
from toastkit import (
    closing,
    config,
    errors,
    publish_control,
    publish_toast,
    publish_toasts,
    signals,
)
from toastkit.cli.group import group
from toastkit.dialects import toasts

pytestmark = pytest.mark.plain


def spelled(default: Any) -> str:
    """Return a default as the settings page spells it."""
    if isinstance(default, tuple):
        default = ",".join(default)
    text = str(int(default) if isinstance(default, bool) else default)
    return f"``{text}``" if text else "empty"


@pytest.mark.parametrize("page", [page for page in PAGES if modules(page) and page not in HOWTOS])
def test_the_python_of_a_page_runs(page: str, tmp_path: Path) -> None:
    names = [Path(name or "example.py").stem for name in modules(page)]
    imports = f"import {', '.join(name for name in names if 'test' not in name)}"
    run(imports, furnish(page, tmp_path), TOASTKIT_DEMO="1")  # the service starts with it alone


def test_the_readme_example_shows_a_toast(tmp_path: Path) -> None:
    with wheel_check.serving(wheel_check.example(ROOT / "README.md"), tmp_path) as origin:
        wheel_check.see_a_toast(origin)


def test_the_readme_example_is_short() -> None:
    assert len(wheel_check.example(ROOT / "README.md").splitlines()) <= 25


@pytest.mark.parametrize("function", [publish_toast, publish_toasts, publish_control])
def test_every_argument_of_a_publish_is_documented(function: Callable[..., Any]) -> None:
    shown = ", ".join(
        "*, topic=None" if name == "topic" else str(argument.replace(annotation=argument.empty))
        for name, argument in inspect.signature(function).parameters.items()
    )
    text = re.sub(r"\s+", " ", PAGES["wire.rst"])
    assert f"{function.__name__}({shown})" in text


def test_no_page_installs_from_an_index() -> None:
    assert not re.search(r"install \S?toastkit", TEXT), "it is not there: pip install '.[flask]'"


def test_every_endpoint_is_documented(tmp_path: Path) -> None:
    code = (
        "from example_app.wsgi import app; print(*(rule.rule for rule in app.url_map.iter_rules()))"
    )
    database = f"sqlite:///{tmp_path}/toasts.db"
    rules = run(code, tmp_path, TOASTKIT_DEMO="1", DATABASE_URL=database).split()
    assert "/v1/toasts/publish" in rules
    paths = {rule.removeprefix("/api") if rule[4:] in rules else rule for rule in rules}
    missing = sorted(path for path in paths if not re.search(rf"{re.escape(path)}(?![\w/])", TEXT))
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("setting", fields(config.Config), ids=lambda setting: setting.name)
def test_every_setting_is_documented_with_its_default(setting: Any) -> None:
    name = config.PREFIX + setting.name.upper()
    row = f"   * - ``{name}``\n     - {spelled(setting.default)}\n     - "
    assert row in PAGES["settings.rst"], f"docs/settings.rst lacks this row:\n{row}..."


def test_no_setting_is_documented_that_is_none() -> None:
    known = {config.PREFIX + setting.name.upper() for setting in fields(config.Config)}
    assert set(re.findall(r"\bTOASTKIT_[A-Z_]*[A-Z]", TEXT)) <= known | config._ELSEWHERE


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


SIGNALS = [name for name, value in vars(signals).items() if isinstance(value, NamedSignal)]


@pytest.mark.parametrize("name", SIGNALS)
def test_every_signal_is_documented(name: str) -> None:
    assert f"   * - ``{name}``\n     - ``" in PAGES["signals.rst"]


@pytest.mark.parametrize("command", sorted(group.commands))
def test_every_command_is_documented(command: str) -> None:
    assert re.search(rf"^``toastkit {command}\b.*``\n-+$", PAGES["cli.rst"], re.MULTILINE)


def test_no_command_is_documented_that_is_none() -> None:
    shown = re.findall(r"^   \$ (?:.* )?toastkit ([a-z]+)\b", TEXT, re.MULTILINE)
    assert {"explain", "courier"} <= set(shown) <= set(group.commands)


@pytest.mark.parametrize("page", sorted(PAGES))
def test_every_link_inside_the_documentation_leads_somewhere(page: str) -> None:
    labels = set(re.findall(r"^\.\. _([\w-]+):$|^   :name: ([\w-]+)$", TEXT, re.MULTILINE))
    known = {label for pair in labels for label in pair}
    assert not [label for label in references(page) if label not in known]
    assert not [str(place) for place in places(page) if not place.exists()]


def references(page: str) -> list[str]:
    return re.findall(r":ref:`(?:[^`<]*<)?([\w-]+)>?`", PAGES[page])


def places(page: str) -> Iterator[Path]:
    """Tell each file that a page links to, includes or shows."""
    if page.endswith(".md"):
        for target in re.findall(r"\]\((?!\w+:|#)([^)#]+)", PAGES[page]):
            yield ROOT / target
        return
    here = (DOCS / page).parent
    for target in re.findall(r"``(tests/[\w/.]+)``", PAGES[page]):
        yield ROOT / target
    for target in re.findall(r":doc:`(?:[^`<]*<)?([\w/.-]+)>?`", PAGES[page]):
        yield (DOCS / f".{target}.rst") if target[0] == "/" else here / f"{target}.rst"
    for target in re.findall(
        r"^\.\. (?:image|figure|\w*include):: (\S+)", PAGES[page], re.MULTILINE
    ):
        yield here / target


@pytest.mark.parametrize("command", ["run", "tests"])
def test_the_readme_has_both_commands(command: str) -> None:
    found = re.findall(rf"<!-- command: {command} -->\n```sh\n(.+)\n```\n", PAGES["README.md"])
    assert len(found) == 1
    assert found[0].startswith("python3 -m venv .venv && .venv/bin/pip install ")
