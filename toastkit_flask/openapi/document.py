"""Put the document together from the paths an app has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from ..answers import Error
from ..operations import Operation
from ..policies import Policy
from ..state import State, state
from . import refusals, security
from .schemas import Schemas, inline, parameter, parameters
from .texts import plain, words

OPENAPI = "3.1.0"
_ABOUT = """Toasts: a durable inbox, a WebSocket gateway, a stream, and what opens them.

{twins}An error's `code` is stable and made for programs. A path answers its other methods with \
405 `method_not_allowed` and the header `Allow`, and `OPTIONS` with 204 and the same header. Fields \
nobody knows are ignored; an answer may get further ones. What comes by the gateway and the stream \
is described in `asyncapi.json` of the documentation. Views of the app are here as far as they are \
described; what the app refuses before a view is asked is not.
"""
_TWINS = "What is below `{prefix}/v1` answers below `{prefix}/api/v1`, too. "
_PART = re.compile(r"<(?:([^:<>(]+)(?:\([^<>]*\))?:)?([^<>]+)>")
_KINDS = {"int": int, "float": float}
"""What parts of a path are, by their converters; every other is a text."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an operation stands: its rule, and the view that answers."""

    rule: Rule
    view: Any
    operation: Operation

    @property
    def policy(self) -> Policy | None:
        """Who may pass, if that is known."""
        return getattr(self.view, "toastkit_policy", None)

    @property
    def path(self) -> str:
        """The path, as the document spells it."""
        return _PART.sub(r"{\2}", self.rule.rule)

    @property
    def door(self) -> str:
        """What it belongs to: a surface of toastkit, a blueprint, or the app itself."""
        name, dot, _ = self.rule.endpoint.rpartition(".")
        return name.removeprefix("toastkit_") if dot else "app"


def document(app: Flask) -> dict[str, Any]:
    """Return the document of an app, without its ``servers``; nothing of it depends on a request."""
    here, places = state(app), list(_places(app))
    schemas = _schemas(places)
    paths: dict[str, Any] = {}
    for place in places:
        for method in (place.rule.methods or set()) - {"HEAD", "OPTIONS"}:
            described = _operation(app, place, here, schemas)
            paths.setdefault(place.path, {})[method.lower()] = described
    return {
        "openapi": OPENAPI,
        "info": _info(here),
        "tags": _tags(places),
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": schemas.components,
            "headers": refusals.headers(),
            "securitySchemes": security.schemes(app),
        },
    }


def _places(app: Flask) -> Iterator[Place]:
    """Find what is described; of the gateway's two rules the one that opens it comes last."""
    rules = sorted(app.url_map.iter_rules(), key=lambda rule: rule.websocket)
    for rule in rules:
        view = app.view_functions[rule.endpoint]
        operation = getattr(view, "toastkit_operation", None)
        if operation is not None and not _is_twin(rule):
            yield Place(rule, view, operation)


def _is_twin(rule: Rule) -> bool:
    door: str = rule.endpoint.partition(".")[0]
    return door.startswith("toastkit_") and door.endswith("_api")


def _schemas(places: list[Place]) -> Schemas:
    used = [place.operation for place in places]
    answered = [each.answer for each in used if each.answer is not None]
    bodies = [each.body for each in used if each.body is not None]
    return Schemas([*answered, *bodies, Error], answered)


def _operation(app: Flask, place: Place, here: State, schemas: Schemas) -> dict[str, Any]:
    operation, policy = place.operation, place.policy
    summary, rest = words(place.view)
    described: dict[str, Any] = {"operationId": operation.id, "tags": [place.door]}
    if summary:
        described["summary"] = summary
    if about := "\n\n".join(filter(None, [rest, _rate(place, here)])):
        described["description"] = about
    if asked := _parameters(place):
        described["parameters"] = asked
    if operation.body is not None:
        body = {"application/json": {"schema": schemas.of(operation.body)}}
        described["requestBody"] = {"required": not operation.optional, "content": body}
    if policy is not None:
        described["security"] = security.requirements(policy, here, app)
    return {**described, "responses": _responses(place, here, schemas)}


def _parameters(place: Place) -> list[dict[str, Any]]:
    operation, found = place.operation, []
    for converter, name in _PART.findall(place.rule.rule):
        kind = operation.path.get(name, _KINDS.get(converter, str))
        found.append(parameter(name, "path", inline(kind), required=True))
    if operation.query is not None:
        found += parameters(operation.query, "query")
    if operation.headers is not None:
        found += parameters(operation.headers, "header")
    return found


def _responses(place: Place, here: State, schemas: Schemas) -> dict[str, Any]:
    operation, config = place.operation, here.kit.config
    answer: dict[str, Any] = {"description": "Done."}
    if operation.status == 101:
        answer["description"] = "The connection is a WebSocket from now on."
    if operation.answer is not None:
        schema = schemas.of(operation.answer)
        named = schemas.components.get(schema.get("$ref", "").rpartition("/")[2], {})
        answer["description"] = named.get("description", answer["description"])
        answer["content"] = {operation.media: {"schema": schema}}
    path = refusals.Path(
        place.policy,
        config.rate_limits and getattr(place.view, "toastkit_rate", None) is not None,
        place.rule.endpoint.startswith("toastkit_"),
        bool(config.trusted_hosts),
    )
    answers = {str(operation.status): answer}
    if operation.unchanged:
        answers["304"] = {"description": "Not Modified: it is as you have it."}
    return answers | refusals.refusals(operation, path)


def _rate(place: Place, here: State) -> str:
    name, config = getattr(place.view, "toastkit_rate", None), here.kit.config
    if name is None or not config.rate_limits:
        return ""
    return f"At most {getattr(config, f'{name}_rate')}, counted as `{name}`."


def _info(here: State) -> dict[str, Any]:
    config = here.kit.config
    twins = _TWINS.format(prefix=config.url_prefix) if "toasts" in config.surfaces else ""
    return {
        "title": "toastkit",
        "version": metadata.version("toastkit"),
        "summary": "Realtime notifications that are kept.",
        "description": _ABOUT.format(twins=twins).strip(),
        "license": {"name": "MIT", "identifier": "MIT"},
    }


def _tags(places: list[Place]) -> list[dict[str, str]]:
    """Say what each surface is about, in the words of its module."""
    modules = {place.door: place.view.__module__ for place in places}
    return [{"name": name, "description": _about(modules[name])} for name in sorted(modules)]


def _about(module: str) -> str:
    return plain((import_module(module).__doc__ or "").partition("\n\n")[0])
