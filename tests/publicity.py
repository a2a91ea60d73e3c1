"""What other people's code may lean on, one name a line; kept in ``tests/public_names.txt``.

``python -m tests.publicity`` writes that file anew. Look at what it changed: a line that is new is a
promise, and a line that is gone breaks somebody's program, unless it was deprecated long enough
(docs/upgrading.rst).
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import click
from blinker import NamedSignal

from toastkit import Config, closing, config, errors
from toastkit.cli import group
from toastkit.dialects import toasts
from toastkit.identity import Anonymous, Devices, Sessions
from toastkit.live import Node
from toastkit.publishing import Data, Deliveries, Toasts

KEPT = Path(__file__).parent / "public_names.txt"

MODULES: dict[str, tuple[str, ...] | None] = {
    "toastkit": None,
    "toastkit.deliveries": ("Delivery", "Gone", "Later", "Refusal", "Sent"),
    "toastkit.hooks": ("Hooks",),
    "toastkit.senders": None,
    "toastkit.senders.apns": None,
    "toastkit.senders.contract": ("Sender",),
    "toastkit.testing": None,
    "toastkit.verifiers": None,
    "toastkit.verifiers.contract": ("Claims", "Verifier"),
    "toastkit_flask": None,
    "toastkit_flask.gunicorn": None,
    "toastkit_flask.testing": ("WebSocketClient",),
}
"""The modules a program may import from, and which names of each; ``None``: its ``__all__``."""

FACETS: dict[str, tuple[type, tuple[str, ...] | None]] = {
    "data": (
        Data,
        ("export", "export_parts", "forget", "prune", "upgrade", "upgrade_sql"),
    ),
    "deliveries": (Deliveries, None),
    "devices": (Devices, None),
    "identity.anonymous": (Anonymous, None),
    "node": (Node, ("online", "serve")),
    "sessions": (Sessions, ("find", "mint", "revoke", "revoke_all")),
    "toasts": (Toasts, None),
}
"""What a program does with the parts of a kit; ``None``: all there is."""


def public() -> list[str]:
    """Return every public name, as it stands in the kept file."""
    return [
        *sorted(_names()),
        *sorted(_facets()),
        *sorted(f"signal {name}" for name in _signals()),
        *sorted(f"setting {config.PREFIX}{each.name.upper()}" for each in fields(Config)),
        *sorted({f"error {code}" for code in _codes()}),
        *sorted(f"close {toasts.CODES[each]} {each.value}" for each in closing.CloseReason),
        *sorted(_commands()),
    ]


def _names() -> Iterator[str]:
    for name, wanted in MODULES.items():
        module = importlib.import_module(name)
        for each in wanted or module.__all__:
            yield from _told(f"{name}.{each}", getattr(module, each))
    for kind in _errors():
        yield f"toastkit.errors.{kind.__name__}"


def _told(name: str, value: Any) -> Iterator[str]:
    if not inspect.isclass(value):
        yield f"{name}{_signature(value)}" if callable(value) else name
        return
    if issubclass(value, Exception) or value is Config:
        yield name  # the settings have lines of their own
        return
    yield name if getattr(value, "_is_protocol", False) else f"{name}{_signature(value)}"
    yield from _members(name, value)


def _members(name: str, kind: type) -> Iterator[str]:
    kept = {each.name for each in fields(kind)} if is_dataclass(kind) else set()
    kept |= set(getattr(kind, "__struct_fields__", ()))
    for each in (each for each in dir(kind) if not each.startswith("_") and each not in kept):
        member = inspect.getattr_static(kind, each)
        if isinstance(member, classmethod | staticmethod):
            yield f"{name}.{each}{_signature(getattr(kind, each))}"
        elif inspect.isfunction(member):
            yield f"{name}.{each}{_signature(member)}"
        elif isinstance(member, property):
            yield f"{name}.{each}"


def _facets() -> Iterator[str]:
    for name, (kind, wanted) in FACETS.items():
        found = {line.partition(".")[2]: line for line in _members(f"kit_{name[-1]}", kind)}
        for rest in found:
            if wanted is None or rest.partition("(")[0] in wanted:
                yield f"kit.{name}.{rest}"


def _signature(value: Any) -> str:
    try:
        signature = inspect.signature(value)
    except ValueError:
        return ""
    given = [
        each.replace(annotation=each.empty, default=_default(each))
        for each in signature.parameters.values()
        if each.name != "self" and not each.name.startswith("_")
    ]
    return str(signature.replace(parameters=given, return_annotation=signature.empty))


def _default(parameter: inspect.Parameter) -> Any:
    # A function or a class has an address in its text, or says too much.
    return ... if callable(parameter.default) and not _is_missing(parameter) else parameter.default


def _is_missing(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty


def _signals() -> Iterator[str]:
    module = importlib.import_module("toastkit.signals")
    return (name for name, value in vars(module).items() if isinstance(value, NamedSignal))


def _errors() -> Iterator[type[errors.ToastKitError]]:
    for value in vars(errors).values():
        if inspect.isclass(value) and issubclass(value, errors.ToastKitError):
            yield value


def _codes() -> Iterator[str]:
    return (kind.code for kind in _errors())


def _commands() -> Iterator[str]:
    for name, command in group.commands.items():
        words = [_words(each) for each in command.params]
        yield " ".join([f"command toastkit {name}", *filter(None, words)])


def _words(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Option):
        return f"[{' '.join((*parameter.opts, *parameter.secondary_opts))}]"
    return parameter.make_metavar(click.Context(click.Command("toastkit")))


if __name__ == "__main__":
    KEPT.write_text("\n".join(public()) + "\n")
