"""Every way a path may refuse, from its policy, its rate, its body and what it declares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from toastkit.dialects import http_status
from toastkit.errors import (
    Invalid,
    InvalidPublishKey,
    InvalidToken,
    KeysNotLoaded,
    MissingToken,
    OriginNotAllowed,
    PublishDisabled,
    RateLimited,
    SessionRevoked,
    StorageUnavailable,
    ToastKitError,
    TokenExpired,
    TooLarge,
    UserRequired,
)

from ..operations import JSON, Operation
from ..policies import Policy

_BEARER = (MissingToken, TokenExpired, InvalidToken)
_KNOWN = (*_BEARER, SessionRevoked, StorageUnavailable)
_TOKEN = (*_BEARER, KeysNotLoaded)

_BY_POLICY: dict[Policy, tuple[type[ToastKitError], ...]] = {
    Policy.OPEN: (),
    Policy.TICKET: (),
    Policy.PRINCIPAL: (*_KNOWN, OriginNotAllowed, KeysNotLoaded),
    Policy.USER: (*_KNOWN, OriginNotAllowed, KeysNotLoaded, UserRequired),
    Policy.PROVIDER: _TOKEN,
    Policy.SESSION: _KNOWN,
    Policy.PUBLISHER: (InvalidPublishKey, PublishDisabled),
}

_HEADERS = {
    401: ("WWW-Authenticate",),
    429: ("Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"),
    503: ("Retry-After",),
}


@dataclass(frozen=True, slots=True)
class Path:
    """What is known of a path besides its operation; ``own``: it is one of toastkit's."""

    policy: Policy | None
    limited: bool
    own: bool
    hosts: bool


def refusals(operation: Operation, path: Path) -> dict[str, Any]:
    """Return the answers of every status that refuses, with the codes they may have."""
    codes: dict[int, dict[str, None]] = {}
    for status, code in _told(operation, path):
        codes.setdefault(status, {})[code] = None
    return {str(status): _answer(status, list(codes[status])) for status in sorted(codes)}


def headers() -> dict[str, Any]:
    """Return the headers that refusals carry."""
    seconds, number = {"type": "integer", "minimum": 0}, {"type": "integer", "minimum": 0}
    return {
        "WWW-Authenticate": _header("Always `Bearer`.", {"type": "string", "const": "Bearer"}),
        "Retry-After": _header("Seconds until the same request is welcome.", seconds),
        "RateLimit-Limit": _header("How many requests are welcome.", number),
        "RateLimit-Remaining": _header("How many are left: none.", number),
        "RateLimit-Reset": _header("Seconds until there is room for one.", seconds),
    }


def _told(operation: Operation, path: Path) -> Iterator[tuple[int, str]]:
    errors: list[type[ToastKitError]] = list(operation.errors)
    if path.policy is not None:
        errors += _BY_POLICY[path.policy]
    if path.limited:
        errors.append(RateLimited)
    if operation.body is not None:
        errors += (Invalid, TooLarge)
        yield from ((400, "bad_request"), (413, "request_entity_too_large"))
    if operation.query is not None and operation.status != 101:
        errors.append(Invalid)
    for kind in errors:
        yield http_status(kind), kind.code
    for status, named in operation.codes.items():
        yield from ((status, code) for code in named)
    if path.own:
        yield 500, ToastKitError.code
    if path.own and path.hosts:
        yield 403, "forbidden"


def _answer(status: int, codes: list[str]) -> dict[str, Any]:
    named = ", ".join(f"`{code}`" for code in codes)
    schema = {"$ref": "#/components/schemas/Error", "properties": {"code": {"enum": codes}}}
    answer: dict[str, Any] = {"description": f"{HTTPStatus(status).phrase}: {named}."}
    if status in _HEADERS:
        kept = {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS[status]}
        answer["headers"] = kept
    return {**answer, "content": {JSON: {"schema": schema}}}


def _header(meaning: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": meaning, "required": True, "schema": schema}
