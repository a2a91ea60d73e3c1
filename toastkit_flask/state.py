"""What an app keeps of toastkit: everything hangs on the app, nothing on the extension."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import Flask, current_app, has_app_context

from toastkit import Kit
from toastkit.errors import NoKit
from toastkit.hooks import Hooks
from toastkit.metrics import Metrics

from .ratelimits import RateLimits

KEY = "toastkit"


@dataclass(frozen=True, slots=True)
class State:
    """Hold what serves one app."""

    kit: Kit
    hooks: Hooks
    limits: RateLimits
    documents: dict[str, bytes] = field(default_factory=dict)
    """Documents that were asked for, but for what depends on a request."""
    sources: dict[str, str] = field(default_factory=dict)
    """Where each setting was said; a service that keeps its own elsewhere tells it here."""
    verifiers: bool = False
    metrics: Metrics | None = None
    """What counts for Prometheus, if anybody wants that."""
    own_schema: bool = True
    """Whether toastkit's migrations make its tables, or the host's do."""
    gunicorn: list[str] = field(default_factory=list)
    """What gunicorn's command line says; a service that has a configuration tells it here."""


def state(app: Flask | None = None) -> State:
    """Return what serves an app, by default the current one.

    Raises:
        NoKit: toastkit is not set up on it.
    """
    app = app or current_app
    if KEY not in app.extensions:
        raise NoKit(f"toastkit is not set up on {app.name!r}: call ToastKit(app) or init_app(app)")
    found: State = app.extensions[KEY]
    return found


def current_kit() -> Kit:
    """Return the current app's kit.

    Raises:
        NoKit: toastkit is not set up on it.
    """
    return state().kit


def find_kit() -> Kit | None:
    """Return the current app's kit, or ``None`` where there is no app or no kit."""
    if not has_app_context() or KEY not in current_app.extensions:
        return None
    return state().kit
