"""What a test run of a host's leaves behind: nothing."""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import Any
from weakref import WeakSet

from ..kit import Kit, open_kits

_made_by: dict[Any, list[Kit]] = {}
_claimed: WeakSet[Kit] = WeakSet()


def made(maker: Any, before: Collection[Kit]) -> None:
    """Note which kits a fixture or a test has made: those that were not there ``before`` it."""
    new = set(open_kits).difference(before, _claimed)
    if new:
        _claimed.update(new)  # the innermost fixture's, not those that asked for it
        _made_by[maker] = list(new)


def ended(maker: Any) -> None:
    """Close the kits a fixture or a test has made, when it ends.

    A kit that has been used keeps threads and descriptors until it is closed. Nobody's tests did
    that before there was one, and some hundred tests later no file could be opened any more. What
    a module holds is there for the next test, too.
    """
    for kit in _made_by.pop(maker, ()):
        if kit in open_kits and not _is_held_by_a_module(kit):
            kit.close()


def _is_held_by_a_module(kit: Kit) -> bool:
    app = kit._sender  # noqa: SLF001
    modules = [vars(module) for module in list(sys.modules.values()) if hasattr(module, "__dict__")]
    return any(
        value is kit or (value is app and app is not None)
        for names in modules
        for value in list(names.values())
    )
