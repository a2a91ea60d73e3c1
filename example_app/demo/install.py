"""Put demo mode into an app."""

from __future__ import annotations

from flask import Flask

from toastkit.clock import SystemClock
from toastkit.verifiers import StaticVerifier

from ..settings import Settings
from . import guard
from .identity import IdentityProvider
from .views import demo_pages


def install(app: Flask, settings: Settings) -> StaticVerifier:
    """Add the guard, the page and the identity provider; return what verifies its tokens.

    Raises:
        ConfigError: the key cannot be kept in the instance folder.
    """
    clock = SystemClock()
    provider = IdentityProvider.of(settings.instance, clock)
    app.before_request(guard.refuse_strangers)
    app.register_blueprint(demo_pages(provider, settings.config))
    return StaticVerifier(provider.jwks(), clock, issuer=provider.issuer)
