"""A package's ``__init__`` is its table of contents, and nothing else."""

import ast
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.plain

ROOT = Path(__file__).parent.parent
HOUSE = ("toastkit", "toastkit_flask", "example_app")
INITS = sorted(path for top in HOUSE for path in (ROOT / top).rglob("__init__.py"))
PUBLIC = ("toastkit", "toastkit_flask")


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).parent.parts)


each_package = pytest.mark.parametrize("path", INITS, ids=name_of)


def listed(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names: list[str] = ast.literal_eval(node.value)
            return names
    return None


def imported(tree: ast.Module) -> set[str]:
    found = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return {
        alias.asname or alias.name
        for node in found
        if getattr(node, "module", "") != "__future__"
        for alias in node.names
        if not (alias.asname or alias.name).startswith("_")
    }


def exports() -> list[tuple[str, str]]:
    trees = {name_of(path): ast.parse(path.read_text()) for path in INITS}
    return [(package, name) for package, tree in trees.items() for name in listed(tree) or ()]


@pytest.mark.parametrize("package", PUBLIC)
def test_the_public_packages_say_what_they_export(package: str) -> None:
    assert listed(ast.parse((ROOT / package / "__init__.py").read_text()))


@each_package
def test_init_computes_nothing(path: Path) -> None:
    tree = ast.parse(path.read_text())
    allowed = (ast.Import, ast.ImportFrom)
    wrong = [
        f"line {node.lineno}: {ast.unparse(node)[:60]}"
        for node in tree.body[ast.get_docstring(tree) is not None :]
        if not isinstance(node, allowed) and not ast.unparse(node).startswith("__all__ = ")
    ]
    assert not wrong, "\n".join(wrong)


@each_package
def test_all_is_what_is_imported(path: Path) -> None:
    tree = ast.parse(path.read_text())
    names = listed(tree) or []
    assert set(names) == imported(tree)
    assert len(set(names)) == len(names)


def flaw(exported: Any) -> str | None:
    """Return what is wrong with the docstring of an export; data and aliases need none."""
    if not (inspect.isclass(exported) or inspect.isroutine(exported)):
        return None
    first, _, rest = (inspect.getdoc(exported) or "").partition("\n")
    if not exported.__doc__ or exported.__doc__.startswith(f"{exported.__name__}("):
        return "no docstring"
    if not re.fullmatch(r"[A-Z`].*[.]", first) or rest.partition("\n")[0].strip():
        return f"the first line is not one sentence: {first!r}"
    return None


@pytest.mark.parametrize(("package", "name"), exports())
def test_every_export_explains_itself(package: str, name: str) -> None:
    exported = getattr(importlib.import_module(package), name)
    assert flaw(exported) is None
