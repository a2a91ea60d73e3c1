"""An error over HTTP has the status and the words the documents give it."""

from typing import Any

import pytest

from toastkit import errors
from toastkit.dialects import http_error
from toastkit.errors import ToastKitError


@pytest.mark.parametrize(
    ("error", "status", "detail", "code"),
    [
        (errors.InvalidPublishKey(), 401, "invalid_publish_key", "invalid_publish_key"),
        (errors.PublishDisabled(), 503, "toast_publish_disabled", "toast_publish_disabled"),
        (errors.MissingToken(), 401, "Missing Bearer token", "missing_token"),
        (errors.TokenExpired(), 401, "Token expired", "token_expired"),
        (errors.InvalidToken("not ours"), 401, "Invalid token: not ours", "invalid_token"),
        (errors.TopicNotAllowed("user:u2"), 422, "topic_not_allowed", "topic_not_allowed"),
        (errors.Invalid("title required"), 422, "title required", "invalid"),
        (errors.RateLimited(30, 7), 429, "Rate limit exceeded", "rate_limited"),
        (errors.TooLarge("too large"), 413, "too large", "too_large"),
        (errors.OriginNotAllowed("no"), 403, "no", "origin_not_allowed"),
        (errors.StorageUnavailable("locked"), 503, "locked", "storage_unavailable"),
        (errors.BadMessage("no"), 400, "no", "bad_message"),
        (errors.Refused("no"), 400, "no", "refused"),
    ],
)
def test_A17_B17_status_detail_and_code(
    error: ToastKitError, status: int, detail: str, code: str
) -> None:
    answered, body, _ = http_error(error)
    assert (answered, body["detail"], body["code"]) == (status, detail, code)
    assert body["message"] == str(error)


@pytest.mark.parametrize("error", [errors.NoKit("x"), errors.ConfigError("x"), ToastKitError("x")])
def test_a_mistake_of_the_program_tells_nothing_of_the_inside(error: ToastKitError) -> None:
    status, body, headers = http_error(error)
    assert status == 500
    assert body == {
        "detail": "Internal Server Error",
        "code": "internal_error",
        "message": "Internal Server Error",
    }
    assert headers == {}


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (errors.MissingToken(), {"WWW-Authenticate": "Bearer"}),
        (errors.InvalidPublishKey(), {"WWW-Authenticate": "Bearer"}),
        (errors.StorageUnavailable(), {"Retry-After": "1"}),
        (errors.PublishDisabled(), {"Retry-After": "60"}),
        (
            errors.RateLimited(30, 7),
            {
                "Retry-After": "7",
                "RateLimit-Limit": "30",
                "RateLimit-Remaining": "0",
                "RateLimit-Reset": "7",
            },
        ),
        (errors.Invalid("no"), {}),
        (errors.TopicNotAllowed("x"), {}),
    ],
)
def test_headers_say_what_to_do_next(error: ToastKitError, headers: dict[str, Any]) -> None:
    assert http_error(error)[2] == headers


def test_a_wrong_field_is_named() -> None:
    _, body, _ = http_error(errors.Invalid("title required", ("toast", "title"), "missing"))
    assert body["errors"] == [
        {"loc": ["toast", "title"], "msg": "title required", "type": "missing"}
    ]


def leaves(kind: type[ToastKitError]) -> list[type[ToastKitError]]:
    below = kind.__subclasses__()
    return [leaf for each in below for leaf in leaves(each)] if below else [kind]


@pytest.mark.parametrize("kind", leaves(errors.Refused))
def test_every_refusal_is_the_clients_to_mend(kind: type[ToastKitError]) -> None:
    error = kind.__new__(kind)
    if isinstance(error, errors.RateLimited):
        error.limit = error.retry_after = 1
    if isinstance(error, errors.Invalid):
        error.loc, error.type = (), ""
    assert 400 <= http_error(error)[0] < 500
