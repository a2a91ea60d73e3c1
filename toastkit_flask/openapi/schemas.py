"""The schemas of what is read and answered."""

from __future__ import annotations

from collections.abc import Iterable
from types import NoneType
from typing import Any, get_args, get_type_hints

import msgspec
from msgspec import Struct, UnsetType

from .texts import plain

_PLACE = "#/components/schemas/{name}"


class Schemas:
    """Turn types into schemas; those of structs are kept once, under their names.

    ``answered`` are types of answers, whose fields are always there.
    """

    def __init__(self, kinds: Iterable[Any], answered: Iterable[Any]) -> None:
        wanted = list(kinds)
        found, self.components = msgspec.json.schema_components(wanted, ref_template=_PLACE)
        # By identity: an annotated type need not be hashable.
        self._found = {id(kind): schema for kind, schema in zip(wanted, found, strict=True)}
        for kind in answered:
            self._require(kind)
        for schema in (*self.components.values(), *found):
            _tidy(schema)

    def of(self, kind: Any) -> dict[str, Any]:
        """Return the schema of a type that was given."""
        return self._found[id(kind)]

    def _require(self, kind: Any) -> None:
        # A default of an answer is what is written, not what may be missing.
        if not (isinstance(kind, type) and issubclass(kind, Struct)):
            return
        hints = get_type_hints(kind)
        there = [
            each.encode_name
            for each in msgspec.structs.fields(kind)
            if UnsetType not in get_args(hints[each.name])
        ]
        # Not under its own name, if another module has a struct of the same.
        self.components[self.of(kind)["$ref"].rpartition("/")[2]]["required"] = there


def parameters(kind: type[Struct], place: str) -> list[dict[str, Any]]:
    """Return the parameters that a struct has as its fields, in the ``query`` or a ``header``."""
    hints = get_type_hints(kind, include_extras=True)
    described = []
    for each in msgspec.structs.fields(kind):
        kept = [arm for arm in get_args(hints[each.name]) if arm is not NoneType]
        one = kept[0] if kept and NoneType in get_args(hints[each.name]) else hints[each.name]
        schema = inline(one)
        if not each.required and each.default is not None:
            schema["default"] = each.default
        described.append(parameter(each.encode_name, place, schema, required=each.required))
    return described


def parameter(name: str, place: str, schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    """Return one parameter; what its schema says of it is said of the parameter."""
    said = {"name": name, "in": place, "required": required}
    if "description" in schema:
        said["description"] = schema.pop("description")
    return said | {"schema": schema}


def inline(kind: Any) -> dict[str, Any]:
    """Return the schema of a type without a struct."""
    return _tidy(msgspec.json.schema(kind))


def _tidy(schema: dict[str, Any]) -> dict[str, Any]:
    """Write descriptions for readers of no source, and leave defaults out that say nothing."""
    if schema.get("default", ...) is None:
        del schema["default"]
    if isinstance(schema.get("description"), str):
        schema["description"] = plain(schema["description"])
    if schema.get("type") == "object" and "properties" not in schema:
        # Said aloud: some generators take an object without it for one that is always empty.
        schema.setdefault("additionalProperties", True)
    for value in schema.values():
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                _tidy(inner)
    return schema
