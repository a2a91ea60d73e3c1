"""Tell PostHog that an anonymous principal and a user are one person, once a rebind has made them so."""

from __future__ import annotations

import http.client
import json
import urllib.request
import uuid
from typing import IO, Any
from urllib.error import HTTPError

from toastkit.clock import iso
from toastkit.deliveries import Delivery, Later, Outcome, Refusal, Sent
from toastkit.identity.anonymous import REBOUND
from toastkit.senders import RecordingSender
from toastkit.senders.contract import Sender

from .settings import PostHog

TIMEOUT_SECONDS = 10.0
ANSWER_BYTES = 300

HOPELESS = frozenset({400, 413, 422})
"""What says that this very event will never be taken. Any other answer, a wrong key's too, is one
that an operator or time can mend."""


class PostHogSender:
    """Post ``$create_alias`` events, so that what was done anonymously counts for the user."""

    kind = REBOUND

    def __init__(self, settings: PostHog, timeout: float = TIMEOUT_SECONDS) -> None:
        self._url = f"{settings.host}/capture/"
        self._api_key = settings.api_key
        self._timeout = timeout
        self._opener = urllib.request.build_opener(_NoRedirects)

    def post(self, delivery: Delivery) -> Outcome:
        """Make one attempt; the event's uuid stays the same, by which PostHog counts it once."""
        try:
            with self._opener.open(self._request(delivery), timeout=self._timeout) as answer:
                return Sent(f"{answer.status} {_text(answer)}")
        except HTTPError as error:
            with error:
                return _outcome(error)
        except (OSError, http.client.HTTPException) as error:
            return Later(f"{type(error).__name__}: {error}")

    def _request(self, delivery: Delivery) -> urllib.request.Request:
        event = _alias(delivery) | {"api_key": self._api_key}
        headers = {"Content-Type": "application/json", "User-Agent": "toastkit-example"}
        return urllib.request.Request(self._url, json.dumps(event).encode(), headers)  # noqa: S310


def alias_sender(settings: PostHog | None) -> Sender:
    """Return who is told of a rebind; without settings it is only recorded."""
    return RecordingSender(REBOUND) if settings is None else PostHogSender(settings)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follow none: the key would go wherever the answer says."""

    def redirect_request(self, *_: Any) -> None:
        """Answer a redirect as what it is."""


def _alias(delivery: Delivery) -> dict[str, Any]:
    payload = delivery.payload
    return {
        "event": "$create_alias",
        "distinct_id": payload["user_id"],
        "properties": {"distinct_id": payload["user_id"], "alias": payload["anon_uuid"]},
        "timestamp": iso(payload["at"]),
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"toastkit:{delivery.id}")),
    }


def _outcome(error: HTTPError) -> Outcome:
    answer = f"{error.code} {_text(error)}"
    if error.code in HOPELESS:
        return Refusal(answer)
    named = error.headers.get("Retry-After", "").strip()
    return Later(answer, float(named) if named.isascii() and named.isdecimal() else None)


def _text(answer: IO[bytes]) -> str:
    """Return the beginning of what was answered; that the rest never came changes nothing."""
    try:
        return answer.read(ANSWER_BYTES).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return ""
