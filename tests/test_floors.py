"""Imports go down, or sideways inside one room; files and functions stay small.

Words < contracts < core | dialects | adapters < wiring < toastkit_flask < example_app. Imports that
only serve typing and imports inside functions count.
"""

import ast
import graphlib
from pathlib import Path

import pytest

pytestmark = pytest.mark.plain

ROOT = Path(__file__).parent.parent
HOUSE = ("toastkit", "toastkit_flask", "example_app")
WORDS = {
    *("errors", "closing", "clock", "ids", "topics", "events", "principals", "commands"),
    *("replies", "receipts", "hooks", "deliveries", "config", "records", "texts", "signals"),
    "logs",
}
CONTRACTS = {"backplane.history", "backplane.presence"}
"""What a package promises beside its ``contract``."""

CORE = {"live", "publishing", "identity"}
ROOMS = {*CORE, "dialects", "runtime", "backplane", "storage", "senders", "verifiers"}
WIRING = {
    "",
    "__main__",
    "transports",
    "announcing",
    "joining",
    "ground",
    "wiring",
    "kit",
    "current",
    "cli",
    "doctor",
    "health",
    "metrics",
    "testing",
}
DOORS = {("live", "publishing")}
GEVENT = ("toastkit/runtime/gevent.py", "toastkit_flask/gunicorn.py", "example_app/")
LINES, FUNCTION_LINES, PARAMETERS = 400, 45, 4
FROZEN = "toastkit/storage/migrations/versions/"
"""Migrations: lists of columns that nobody may shorten any more."""


def files() -> dict[str, Path]:
    """Return every file of the house by the name of its module."""
    found = {}
    for path in (path for top in HOUSE for path in sorted((ROOT / top).rglob("*.py"))):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


FILES = files()
PACKAGES = {name for name, path in FILES.items() if path.name == "__init__.py"}


def place(module: str) -> tuple[int, str]:
    """Return the floor and the room of a module.

    Raises:
        LookupError: it has none.
    """
    top, _, rest = module.partition(".")
    first = rest.partition(".")[0]
    if top != "toastkit":
        return 3 + HOUSE.index(top), top
    if first in WORDS and rest == first:
        return 0, "words"
    if (rest.endswith(".contract") and rest.count(".") == 1) or rest in CONTRACTS:
        return 1, "contracts"
    if first in ROOMS:
        return 2, first
    if first in WIRING:
        return 3, "wiring"
    raise LookupError(f"{module} stands on no floor: give it a room in tests/test_floors.py")


def imports(module: str) -> set[str]:
    """Return the absolute names of everything a module imports, typing-only or not."""
    found = set()
    for node in ast.walk(ast.parse(FILES[module].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: -node.level + (module in PACKAGES) or None]
            source = ".".join([*above * bool(node.level), *filter(None, [node.module])])
            names = {f"{source}.{alias.name}" for alias in node.names}
            found |= {name if name in FILES else source for name in names}
    return found


def inside(module: str) -> set[str]:
    return {name for name in imports(module) if name.partition(".")[0] in HOUSE}


def may(module: str, target: str) -> bool:
    """Tell whether one module of the house may import another."""
    (floor, room), (below, other) = place(module), place(target)
    return below < floor or (floor, room) == (below, other) or (room, other) in DOORS


def test_every_module_has_a_floor() -> None:
    homeless = []
    for module in FILES:
        try:
            place(module)
        except LookupError as error:
            homeless.append(str(error))
    assert not homeless, "\n".join(homeless)


def test_imports_go_down_or_sideways() -> None:
    wrong = [
        f"{module} (floor %d, %s) imports {target} (floor %d, %s)"
        % (*place(module), *place(target))
        for module in FILES
        for target in sorted(inside(module))
        if not may(module, target)
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_imports_in_a_circle() -> None:
    try:
        graphlib.TopologicalSorter({name: inside(name) - {name} for name in FILES}).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_flask_and_gevent_stay_where_they_belong() -> None:
    wrong = []
    for module, path in FILES.items():
        where = path.relative_to(ROOT).as_posix()
        tops = {name.partition(".")[0] for name in imports(module)}
        if "gevent" in tops and not where.startswith(GEVENT):
            wrong.append(f"{where} imports gevent")
        if where.startswith("toastkit/"):
            wrong += [f"{where} imports {top}" for top in tops if top.startswith("flask")]
    assert not wrong, "\n".join(wrong)


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function without its docstring."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function) is not None:
        lines -= (function.body[0].end_lineno or 0) - function.body[0].lineno + 1
    return lines


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count what is passed by position; options passed by name explain themselves."""
    given = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
    return len(given) - (given[:1] in (["self"], ["cls"])) + (function.args.vararg is not None)


def test_files_and_functions_stay_small() -> None:
    wrong = []
    for path in FILES.values():
        text, where = path.read_text(), path.relative_to(ROOT).as_posix()
        if where.startswith(FROZEN):
            continue
        if (lines := text.count("\n")) > LINES:
            wrong.append(f"{where}: {lines} lines, at most {LINES}")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                spot = f"{where}:{node.lineno} {node.name}"
                if (lines := length(node)) > FUNCTION_LINES:
                    wrong.append(f"{spot}: {lines} lines, at most {FUNCTION_LINES}")
                if (count := parameters(node)) > PARAMETERS:
                    wrong.append(f"{spot}: {count} parameters, at most {PARAMETERS}")
    assert not wrong, "\n".join(wrong)
