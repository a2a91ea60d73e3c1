"""What a test run of a host's leaves behind: nothing."""

from __future__ import annotations

import gc
import sys
from collections.abc import Collection
from types import ModuleType
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
        close_unless_held(kit)


def close_unless_held(kit: Kit) -> None:
    """Close the kit of a test that is over, unless a module has it for the next one, too."""
    if kit in open_kits and not _is_held_by_a_module(kit):
        kit.close()


def _is_held_by_a_module(kit: Kit) -> bool:
    """Tell whether a module holds a kit or its app, as such or in something: a list, a cache."""
    modules = [_names(module) for module in list(sys.modules.values())]
    known = {id(names) for names in modules}
    for names in modules:
        known.update(map(id, list(names.values())))
    app = kit._sender  # noqa: SLF001
    holders = gc.get_referrers(kit) if app is None else gc.get_referrers(kit, app)
    # What a class or an object holds is in a dict of theirs; what a function keeps in
    # functools.cache is seen as the function's.
    dicts = [each for each in holders if type(each) is dict]
    return any(hasattr(type(each), "cache_info") for each in holders) or any(
        id(each) in known for each in (*holders, *(gc.get_referrers(*dicts) if dicts else ()))
    )


def _names(module: object) -> dict[str, object]:
    # Asked in the ordinary way a lazy module would begin to load, and what is none may do anything.
    if not issubclass(type(module), ModuleType):
        return {}
    names: dict[str, object] = object.__getattribute__(module, "__dict__")
    return names
