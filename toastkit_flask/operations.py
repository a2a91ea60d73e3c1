"""What a path reads and answers: said where it is declared, and told in ``/openapi.json``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from msgspec import Struct

from toastkit.errors import ToastKitError

View = TypeVar("View", bound=Callable[..., Any])
Codes = Mapping[int, tuple[str, ...]]

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """Describe one path for one method; its words are the docstring of its view.

    ``id`` names it for ever: clients that are generated call it so. ``answer`` is the type of the
    body (``None``: there is none), ``body`` that of what is sent, ``optional`` where nothing need
    be. ``query`` and ``headers`` are structs with a field for each parameter, ``path`` has the type
    of each part of the path. ``errors`` may be raised besides those that policy, rate and body
    bring; ``codes`` are refusals of other kinds, by status. ``unchanged``: who has it already, and
    says so, is answered 304.
    """

    id: str
    answer: Any = None
    status: int = 200
    media: str = field(default=JSON, kw_only=True)
    body: Any = field(default=None, kw_only=True)
    optional: bool = field(default=False, kw_only=True)
    query: type[Struct] | None = field(default=None, kw_only=True)
    headers: type[Struct] | None = field(default=None, kw_only=True)
    path: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    errors: tuple[type[ToastKitError], ...] = field(default=(), kw_only=True)
    codes: Codes = field(default_factory=dict, kw_only=True)
    unchanged: bool = field(default=False, kw_only=True)


def described(
    id: str, answer: Any = None, status: int = 200, **more: Any
) -> Callable[[View], View]:
    """Describe a view of the host, so that ``/openapi.json`` has it, too.

    Takes what ``Operation`` does: ``body``, ``optional``, ``query``, ``headers``, ``path``,
    ``errors``, ``codes`` and ``media``. Who may reach it is known from ``session_required`` and
    the like, whichever of the two decorators comes first::

        @app.get("/orders")
        @session_required
        @described("list_orders", Orders)
        def orders(): ...
    """
    operation = Operation(id, answer, status, **more)

    def describe(view: View) -> View:
        view.toastkit_operation = operation  # type: ignore[attr-defined]
        return view

    return describe
