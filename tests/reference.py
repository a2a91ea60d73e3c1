"""Write the part of ``docs/http.rst`` that is made of ``/openapi.json``: ``python -m tests.reference``."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Flask

from toastkit_flask import ToastKit
from toastkit_flask.mounting import SURFACES
from toastkit_flask.openapi import document

PAGE = Path(__file__).parent.parent / "docs/http.rst"
MARK = ".. What follows is made of /openapi.json: python -m tests.reference\n"
WHO = {
    "session": "a session",
    "provider": "the identity provider's token",
    "login": "the host's login",
    "publish_secret": "the publish secret",
    "ticket": "a ticket",
}


def described() -> dict[str, Any]:
    """Return the document of an app with everything toastkit has, and nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        app = Flask("reference", instance_path=folder, static_folder=None)
        toastkit = ToastKit(app, verifiers=[_Anybody()], surfaces=tuple(SURFACES))
        toastkit.user_loader(lambda: None)
        found = document(app)
        with app.app_context():
            toastkit.kit.close()
    return found


def page(text: str, found: dict[str, Any]) -> str:
    """Return the page with what follows the mark made anew."""
    head, mark, _ = text.partition(MARK)
    assert mark, f"docs/http.rst has lost its line {MARK!r}"
    return head + mark + "\n" + "\n".join(_lines(found)).rstrip() + "\n"


class _Anybody:
    def verify(self, bearer: str) -> Any:
        raise AssertionError(bearer)


def _lines(found: dict[str, Any]) -> Iterator[str]:
    for tag in found["tags"]:
        yield from (tag["name"].capitalize(), "~" * len(tag["name"]), "")
        yield from (_rst(tag["description"]), "")
        for path, methods in found["paths"].items():
            for method, operation in methods.items():
                if operation["tags"] == [tag["name"]]:
                    yield from _operation(f"{method.upper()} {path}", operation, found)
                    yield ""


def _operation(title: str, operation: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    yield f"``{title}`` (``{operation['operationId']}``)"
    said = f"{operation['summary']}. {operation.get('description', '')}".strip()
    yield f"   {_rst(' '.join(said.split()))}"
    rows = {
        "Who": _who(operation),
        "Parameters": ", ".join(map(_parameter, operation.get("parameters", []))),
        "Body": _body(operation, found),
        "Answer": _answer(operation, found),
        "Refuses": _refusals(operation),
    }
    yield ""
    yield from (f"   - {name}: {row}" for name, row in rows.items() if row)


def _who(operation: dict[str, Any]) -> str:
    needed = [WHO[name] for each in operation["security"] for name in each if name in WHO]
    return ", or ".join(needed) or "anybody"


def _parameter(given: dict[str, Any]) -> str:
    return f"``{given['name']}`` ({given['in']})"


def _body(operation: dict[str, Any], found: dict[str, Any]) -> str:
    body = operation.get("requestBody")
    if body is None:
        return ""
    schema = body["content"]["application/json"]["schema"]
    fields = _fields(schema, found, set(schema.get("required", [])))
    return fields if body["required"] else f"{fields}; none need be sent"


def _answer(operation: dict[str, Any], found: dict[str, Any]) -> str:
    status, answer = next(iter(operation["responses"].items()))
    content = answer.get("content", {})
    media = next(iter(content), "")
    if media != "application/json":
        return f"{status} ``{media}``" if media else status
    return f"{status} {_fields(content[media]['schema'], found, None)}"


def _fields(schema: dict[str, Any], found: dict[str, Any], more: set[str] | None) -> str:
    named = found["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    needed = set() if more is None else {*named.get("required", []), *more}
    return ", ".join(
        f"``{name}``" + (" (required)" if name in needed else "") for name in named["properties"]
    )


def _refusals(operation: dict[str, Any]) -> str:
    told = []
    for status, answer in operation["responses"].items():
        # What a defect answers, and what HTTP itself says, is the same everywhere.
        if int(status) >= 400 and status not in {"400", "500"}:
            codes = answer["content"]["application/json"]["schema"]["properties"]["code"]["enum"]
            told.append(f"{status} " + ", ".join(f"``{code}``" for code in codes))
    return "; ".join(told)


def _rst(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"``\1``", text)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(), described()))
