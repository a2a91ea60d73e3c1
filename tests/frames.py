"""``docs/asyncapi.json`` as a judge: is what was said, or may be said, in the document?"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

ROOT = Path(__file__).parent.parent
DOCUMENT: dict[str, Any] = json.loads((ROOT / "docs/asyncapi.json").read_text())
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
CHANNELS: dict[str, Any] = DOCUMENT["channels"]


def told(channel: str) -> set[str]:
    """Return the kinds of frames the server may write on a channel."""
    return {name for name in CHANNELS[channel]["messages"] if not name.startswith("command_")}


def mistakes(kind: str, payload: Any, *, closed: bool = False) -> list[str]:
    """Say what of a payload is not as described; ``closed``: nor may it have any other field."""
    found = _validator(kind, closed).iter_errors(payload)
    return [f"{each.json_path}: {each.message}" for each in found]


def judge(frame: Any, channel: str = "gateway") -> list[str]:
    """Say what of a frame of the server is not as described."""
    kind = frame.get("type")
    if kind not in told(channel):
        return [f"{kind!r} is no frame of the {channel}"]
    return mistakes(kind, frame, closed=True)


@cache
def _validator(kind: str, closed: bool) -> Draft202012Validator:
    schemas = _closed(SCHEMAS) if closed else SCHEMAS
    root = {"$ref": f"#/components/schemas/{kind}", "components": {"schemas": schemas}}
    Draft202012Validator.check_schema(root)
    return Draft202012Validator(root)


def _closed(schema: Any) -> Any:
    # Clients ignore what they do not know, so the document is open. What we write is not.
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(value) for name, value in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        closed["additionalProperties"] = False
    return closed
