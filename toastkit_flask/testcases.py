"""Tests that pytest does not run: those of ``unittest`` close the kits of the apps they make."""

from __future__ import annotations

import sys

from toastkit import Kit

from .places import PLUGIN


def close_with_its_test(kit: Kit) -> None:
    """Close a kit when the test, or the class of tests, that is making its app ends.

    A kit that has been used keeps threads and files until it is closed, and no ``tearDown`` did
    that before there was one: some hundred tests later no file could be opened any more. In a run
    of pytest its plugin sees to it.
    """
    if "unittest" not in sys.modules or PLUGIN in sys.modules:
        return
    from unittest import TestCase  # not before: an app that serves imports nothing for tests

    frame = sys._getframe(1)  # noqa: SLF001
    while frame := frame.f_back:  # type: ignore[assignment]
        case, kind = frame.f_locals.get("self"), frame.f_locals.get("cls")
        if isinstance(case, TestCase):
            case.addCleanup(_close, kit)
            return
        if isinstance(kind, type) and issubclass(kind, TestCase):
            kind.addClassCleanup(_close, kit)
            return


def _close(kit: Kit) -> None:
    from toastkit.testing.hosts import close_unless_held

    close_unless_held(kit)
