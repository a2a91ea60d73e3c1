"""A blueprint that guards itself and tells every error in the documents' shape."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, request
from werkzeug.exceptions import MethodNotAllowed

from . import errors, guards

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Door(Blueprint):
    """Hold views that belong together."""

    def __init__(self, name: str) -> None:
        super().__init__(name, __name__)
        errors.attach(self)
        self.before_request(guards.begin)

    def add_url_rule(self, rule: str, *args: Any, **options: Any) -> None:
        """Add a path. Its ``OPTIONS`` are answered with those of its other methods, see below."""
        options.setdefault("provide_automatic_options", False)
        super().add_url_rule(rule, *args, **options)


def add_other_methods(app: Flask, name: str) -> None:
    """Answer every other method on a registered door's paths.

    A 405 found while routing belongs to no blueprint, so that the host's own page would answer.
    """
    allowed: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(f"{name}.") and not rule.websocket:
            allowed.setdefault(rule.rule, set()).update(rule.methods or ())
    for path, methods in allowed.items():
        app.add_url_rule(
            path,
            f"{name}.other:{path}",
            _other_methods(sorted(methods | {"OPTIONS"})),
            provide_automatic_options=False,
            methods=_METHODS - methods,
        )


def _other_methods(allowed: list[str]) -> Any:
    def other_methods(**_: str) -> Response:
        if request.method == "OPTIONS":
            return Response(status=204, headers={"Allow": ", ".join(allowed)})
        raise MethodNotAllowed(allowed)

    return other_methods
