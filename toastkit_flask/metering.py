"""Count the requests that toastkit answers, where somebody wants to know."""

from __future__ import annotations

from importlib.util import find_spec

from flask import Flask, Response, current_app, request

from toastkit import Config, ids
from toastkit.errors import ConfigError, InvalidToken, MissingToken
from toastkit.metrics import Metrics

from .state import state

SURFACE = "metrics"
OTHER = "other"
"""What is said instead of an operation of requests that are none, such as of another method."""

_BEGAN = "toastkit.began"


def make(config: Config) -> Metrics | None:
    """Return what counts, if that surface is wanted.

    Raises:
        ConfigError: the package for it is missing.
    """
    if SURFACE not in config.surfaces:
        return None
    if find_spec("prometheus_client") is None:  # it is loaded later, in the process that counts
        raise ConfigError(
            f"surfaces: {SURFACE} needs prometheus-client: pip install 'toastkit[metrics]'"
        )
    return Metrics()


def install(app: Flask, name: str) -> None:
    """Count the requests of one door of an app; where nobody wants that nothing is called."""
    # Before the door's own guard: whom that refuses is answered, too.
    app.before_request_funcs.setdefault(name, []).insert(0, _begin)
    app.after_request_funcs.setdefault(name, []).append(_count)


def _begin() -> None:
    request.environ[_BEGAN] = state().kit.node.clock.monotonic()


def _count(response: Response) -> Response:
    # One that the host has answered by itself never came as far as toastkit.
    began: float | None = request.environ.get(_BEGAN)
    here = state()
    if began is not None and here.metrics is not None:
        seconds = here.kit.node.clock.monotonic() - began
        here.metrics.answered(_operation(), response.status_code, seconds)
    return response


def ensure_scraper(bearer: str | None) -> None:
    """Make sure that whoever wants to read the metrics may.

    Raises:
        MissingToken, InvalidToken: a secret is set, and the bearer is none.
    """
    secrets = state().kit.config.metrics_secret
    if not secrets:
        return
    if bearer is None:
        raise MissingToken
    if not ids.is_one_of(bearer, [secret.encode() for secret in secrets]):
        raise InvalidToken("the bearer is not the metrics secret of this server")


def _operation() -> str:
    view = current_app.view_functions.get(request.endpoint or "")
    operation = getattr(view, "toastkit_operation", None)
    return OTHER if operation is None else str(operation.id)
