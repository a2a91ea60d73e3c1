"""Fetch the identity provider's public keys, once, at start."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from typing import Any

import msgspec

from toastkit.errors import ConfigError

TIMEOUT_SECONDS = 5
MAX_BYTES = 262_144


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follow no redirect: whoever could redirect us could choose whose tokens are believed."""

    def redirect_request(self, *_: Any) -> None:
        return None


def fetch(url: str) -> dict[str, Any]:
    """Return the JWKS document at an http or https URL.

    Waits at most five seconds for each answer of the network, follows no redirects and reads at
    most 256 KiB. A key that the provider brings in later is known after the next start.

    Raises:
        ConfigError: it cannot be had, or is not a JWKS document.
    """
    opener = urllib.request.build_opener(_Straight)
    try:
        with opener.open(url, timeout=TIMEOUT_SECONDS) as answer:
            raw = answer.read(MAX_BYTES + 1)
    except urllib.error.HTTPError as error:
        error.close()
        raise ConfigError(f"CLERK_JWKS_URL={url}: HTTP status {error.code}") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ConfigError(f"CLERK_JWKS_URL={url}: {getattr(error, 'reason', error)}") from None
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"CLERK_JWKS_URL={url}: the document is larger than {MAX_BYTES} bytes")
    try:
        document = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ConfigError(f"CLERK_JWKS_URL={url}: this is not a JWKS document")
    return document
