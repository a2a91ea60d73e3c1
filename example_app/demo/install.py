"""Put demo mode into an app."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import Flask

from toastkit.clock import Clock, SystemClock
from toastkit.config import Config
from toastkit.records import Environment
from toastkit.senders.apns import ApnsSender, ApnsSettings, RecordingApns
from toastkit.verifiers import StaticVerifier

from ..settings import Settings
from . import guard
from .identity import IdentityProvider
from .pushes import Shelf, WatchedApns
from .views import demo_pages

RECORDED: dict[Environment, str] = {
    "production": "api.push.apple.com",
    "sandbox": "api.sandbox.push.apple.com",
}
"""Where what is only recorded would go."""


@dataclass(frozen=True, slots=True)
class Installed:
    """Hold what toastkit is given in demo mode."""

    verifier: StaticVerifier
    sender: WatchedApns
    config: Config


def install(app: Flask, settings: Settings) -> Installed:
    """Add the guard, the page and the identity provider; return what toastkit needs of them.

    Raises:
        ConfigError: the demo's key cannot be kept in the instance folder, or Apple's is none.
    """
    clock = SystemClock()
    provider = IdentityProvider.of(settings.instance, clock)
    shelf = Shelf(settings.instance / "demo-pushes")
    app.before_request(guard.refuse_strangers)
    app.register_blueprint(demo_pages(provider, settings, shelf))
    return Installed(
        StaticVerifier(provider.jwks(), clock, issuer=provider.issuer),
        _sender(settings, shelf, clock),
        # Else the kit would make a sender of its own, which nobody watches.
        replace(settings.config, apns_team_id="", apns_key_id="", apns_key_file=""),
    )


def _sender(settings: Settings, shelf: Shelf, clock: Clock) -> WatchedApns:
    if not settings.pushes:
        return WatchedApns(RecordingApns(clock), RECORDED.__getitem__, shelf, clock)
    apple = ApnsSettings.of(settings.config)
    return WatchedApns(ApnsSender(apple, clock), apple.host_of, shelf, clock)
