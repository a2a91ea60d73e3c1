"""A blueprint that guards itself and tells every error in the documents' shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Flask, Response, request
from werkzeug.exceptions import MethodNotAllowed

from . import errors, guards, walls
from .policies import Policy

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class _Others(set[str]):
    """Every method but some: also those that nobody has thought of yet."""

    def __contains__(self, method: object) -> bool:
        return super().__contains__(method) or method not in _METHODS


class Door(Blueprint):
    """Hold views that belong together."""

    # APIFlask asks any blueprint with a before_request whether its own document describes it.
    enable_openapi = False

    def __init__(self, name: str) -> None:
        super().__init__(name, __name__)
        errors.attach(self)
        self.before_request(walls.passed)
        self.before_request(guards.begin)
        self.after_request(walls.answered)

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        provide_automatic_options: bool | None = False,
        **options: Any,
    ) -> None:
        """Add a path with its ``policy``, ``operation`` and ``rate``.

        Without who may pass and what is read and answered there is no path. Its ``OPTIONS`` are
        answered with those of its other methods, see below.
        """
        assert view_func is not None
        policy, operation = options.pop("policy"), options.pop("operation")
        rate = options.pop("rate", None)
        guard: Any = guards.guarded(view_func, policy, rate)
        guard.toastkit_operation, guard.toastkit_rate = operation, rate
        super().add_url_rule(rule, endpoint, guard, provide_automatic_options, **options)


def add_other_methods(app: Flask, name: str) -> None:
    """Answer every other method on a registered door's paths.

    A 405 found while routing belongs to no blueprint, so that the host's own page would answer.
    """
    allowed: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(f"{name}.") and not rule.websocket:
            allowed.setdefault(rule.rule, set()).update(rule.methods or ())
    for path, methods in allowed.items():
        # One dot, as in all of Flask's: what reads endpoints finds their blueprint before the last.
        endpoint = f"{name}.other:{path.replace('.', '_')}"
        others = _Others(_METHODS - methods)
        view = _other_methods(sorted(methods | {"OPTIONS"}))
        app.add_url_rule(path, endpoint, view, provide_automatic_options=False, methods=others)
        for rule in app.url_map.iter_rules(endpoint):
            rule.methods = others  # Flask has made a plain set of it


def _other_methods(allowed: list[str]) -> Any:
    def other_methods(**_: str) -> Response:
        if request.method == "OPTIONS":
            return Response(status=204, headers={"Allow": ", ".join(allowed)})
        raise MethodNotAllowed(allowed)

    other_methods.toastkit_policy = Policy.OPEN  # type: ignore[attr-defined]
    return other_methods
