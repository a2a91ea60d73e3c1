"""Which pages may act here."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import request

from toastkit import Config
from toastkit.errors import ConfigError, Invalid, OriginNotAllowed

_ORIGIN = re.compile(r"https?://[^/?#@\s*]+")


def ensure_origin(config: Config) -> None:
    """Make sure that the page behind this request, if there is one, may act here.

    Native clients send no ``Origin``; browsers always do where it matters.

    Raises:
        OriginNotAllowed: the page is of another origin that is not allowed.
    """
    origin = request.headers.get("Origin")
    if origin is None or _is_own(origin) or origin.lower() in _allowed(config):
        return
    raise OriginNotAllowed(
        f"origin {origin[:200]!r} may not act here: add it to allowed_origins "
        "(TOASTKIT_ALLOWED_ORIGINS)"
    )


def gateway_url(config: Config) -> str:
    """Return the URL of the gateway as a client reaches it (A8).

    Raises:
        Invalid: nobody has said where that is.
    """
    if not (config.public_url or request.host):
        # Names with an underscore are none to Werkzeug, and a Unix socket has no name at all.
        text = "the Host header names no host to connect to: set TOASTKIT_PUBLIC_URL"
        raise Invalid(text, ("Host",), "host")
    here = urlsplit(config.public_url or request.host_url)
    scheme = "wss" if here.scheme == "https" else "ws"
    base = f"{here.path.rstrip('/')}{request.root_path.rstrip('/')}{config.url_prefix}"
    return f"{scheme}://{here.netloc}{base}/api/v1/realtime"


def check(config: Config) -> None:
    """Check the settings about origins.

    Raises:
        ConfigError: one is no origin. ``*`` is none: any page could act for whoever is logged in.
    """
    for origin in config.allowed_origins:
        if not _ORIGIN.fullmatch(origin.rstrip("/")):
            raise ConfigError(f"allowed_origins: {origin!r} is not like https://app.example.com")
    if config.public_url and not _is_url(config.public_url):
        raise ConfigError(f"public_url: {config.public_url!r} is not like https://app.example.com")


def _is_url(text: str) -> bool:
    try:
        return bool(_ORIGIN.match(text) and urlsplit(text).netloc)
    except ValueError:
        return False


def _is_own(origin: str) -> bool:
    # As text: what is no URL must be a stranger, not an error.
    if not _ORIGIN.fullmatch(origin):
        return False
    scheme, _, host = origin.lower().partition("://")
    # A page that came over https is no less our own where a proxy in front ends the TLS.
    return host == request.host.lower() and scheme in (request.scheme, "https")


def _allowed(config: Config) -> set[str]:
    named = {origin.rstrip("/").lower() for origin in config.allowed_origins}
    if config.public_url:
        public = urlsplit(config.public_url)
        named.add(f"{public.scheme}://{public.netloc}".lower())
    return named
