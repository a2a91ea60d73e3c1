"""Put demo mode into an app."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import Flask

from toastkit.clock import Clock, SystemClock
from toastkit.config import Config
from toastkit.senders.apns import ApnsSettings, RecordingApns
from toastkit.verifiers import StaticVerifier

from ..settings import Settings
from . import guard
from .identity import IdentityProvider
from .pushes import WatchedApns
from .views import demo_pages


@dataclass(frozen=True, slots=True)
class Installed:
    """Hold what toastkit is given in demo mode."""

    verifier: StaticVerifier
    sender: RecordingApns | WatchedApns
    config: Config


def install(app: Flask, settings: Settings) -> Installed:
    """Add the guard, the page and the identity provider; return what toastkit needs of them.

    Raises:
        ConfigError: the demo's key cannot be kept in the instance folder, or Apple's is none.
    """
    clock = SystemClock()
    provider = IdentityProvider.of(settings.instance, clock)
    sender = _sender(settings, clock)
    app.before_request(guard.refuse_strangers)
    app.register_blueprint(demo_pages(provider, settings, sender.posted))
    return Installed(
        StaticVerifier(provider.jwks(), clock, issuer=provider.issuer),
        sender,
        # Else the kit would make a sender of its own, which nobody watches.
        replace(settings.config, apns_team_id="", apns_key_id="", apns_key_file=""),
    )


def _sender(settings: Settings, clock: Clock) -> RecordingApns | WatchedApns:
    if not settings.pushes:
        return RecordingApns(clock)
    return WatchedApns(ApnsSettings.of(settings.config), clock)
