"""Kinds of controls: each is registered with what a client fetches again when it hears it (A27)."""

from __future__ import annotations

import logging

from ..errors import ConfigError, Invalid
from ..events import control_name
from ..hooks import Hooks
from .toasts import CONTROLS

OWN_CONTROLS = dict.fromkeys(
    (*CONTROLS.values(), "toasts.read_all", "toasts.rebound"), "/v1/toasts"
)
"""The kinds toastkit publishes itself, all of them about the list."""

MOST_WARNINGS = 100
"""Most kinds that are warned about: names made of user input must not fill memory and log."""

log = logging.getLogger("toastkit")


class Controls:
    """Know which kinds of controls there are."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks
        self._warned: set[str] = set()

    def note(self, kind: str) -> None:
        """Warn, once a kind, about one that nobody registered: no client knows what to fetch."""
        known = kind in self._hooks.controls or kind in OWN_CONTROLS or kind in self._warned
        if known or len(self._warned) >= MOST_WARNINGS:
            return
        self._warned.add(kind)
        log.warning(
            "control %r is not registered, so it is not said what a client fetches again when it "
            "hears it: toastkit.register_control(%r, '/path'), or Hooks(controls={...})",
            kind,
            kind,
        )


def register(hooks: Hooks, kind: object, refetch: object) -> None:
    """Register a kind of control with the path, or http(s) URL, to fetch again.

    Registering the same again is harmless.

    Raises:
        ConfigError: one of them is not of that form, or the kind is taken.
    """
    try:
        name = control_name(kind)
    except Invalid as error:
        raise ConfigError(f"register_control: {error}") from None
    if not isinstance(refetch, str) or not refetch.startswith(("/", "https://", "http://")):
        raise ConfigError(f"register_control({name!r}): refetch must be a path that begins with /")
    taken = (OWN_CONTROLS | hooks.controls).get(name, refetch)
    if name in OWN_CONTROLS or taken != refetch:
        raise ConfigError(f"register_control({name!r}): it is registered already, for {taken}")
    hooks.controls[name] = refetch
