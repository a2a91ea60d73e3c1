"""How the toast and auth documents spell an error over HTTP (B17, A.23)."""

from __future__ import annotations

from typing import Any

from ..errors import (
    AlreadyRebound,
    Invalid,
    InvalidPublishKey,
    OriginNotAllowed,
    RateLimited,
    RebindClash,
    Refused,
    ToastKitError,
    TooLarge,
    TopicNotAllowed,
    Unauthenticated,
    Unavailable,
    UnknownDevice,
    UnknownToast,
)

_STATUS: tuple[tuple[type[ToastKitError], int], ...] = (
    (InvalidPublishKey, 401),
    (Unauthenticated, 401),
    (OriginNotAllowed, 403),
    (UnknownToast, 404),
    (UnknownDevice, 404),
    (AlreadyRebound, 409),
    (RebindClash, 409),
    (TooLarge, 413),
    (TopicNotAllowed, 422),
    (Invalid, 422),
    (RateLimited, 429),
    (Refused, 400),
    (Unavailable, 503),
)


def http_status(kind: type[ToastKitError]) -> int:
    """Return the status that tells an error of a kind."""
    return next((status for known, status in _STATUS if issubclass(kind, known)), 500)


def http_error(error: ToastKitError) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Return status, body and headers that tell an error; ``detail`` is the contract."""
    status = http_status(type(error))
    if status == 500:
        return 500, internal_error(), {}
    body: dict[str, Any] = {"detail": error.detail, "code": error.code, "message": str(error)}
    headers: dict[str, str] = {}
    if isinstance(error, Invalid):
        body["errors"] = [{"loc": list(error.loc), "msg": str(error), "type": error.type}]
    if isinstance(error, TopicNotAllowed):
        body["errors"] = [{"loc": ["topic"], "msg": str(error), "type": error.code}]
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, RateLimited):
        headers |= _limit_headers(error)
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    return status, body, headers


def internal_error() -> dict[str, Any]:
    """Return the body for an error nobody expected; it tells nothing of the inside."""
    text = "Internal Server Error"
    return {"detail": text, "code": ToastKitError.code, "message": text}


def _limit_headers(error: RateLimited) -> dict[str, str]:
    return {
        "Retry-After": str(error.retry_after),
        "RateLimit-Limit": str(error.limit),
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": str(error.retry_after),
    }
