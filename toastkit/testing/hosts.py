"""What a test run of a host's leaves behind: nothing."""

from __future__ import annotations

import sys
from typing import Any

from ..kit import Kit

PLUGIN = "toastkit_pytest"


def running() -> bool:
    """Tell whether this process is a run of pytest, which loads the plugin."""
    return PLUGIN in sys.modules


def finalized(fixture: Any) -> None:
    """Close the kit of an app that a fixture has made, when that fixture ends.

    A kit that has been used keeps threads and descriptors until it is closed. Nobody's tests did
    that before there was one, and some hundred tests later no file could be opened any more.
    """
    result = fixture.cached_result
    kit = None if result is None else _kit(result[0])
    if kit is not None:
        kit.close()


def _kit(made: Any) -> Kit | None:
    """Return the kit of an app, or of the app of a test client."""
    app = getattr(made, "application", made)
    extensions = getattr(app, "extensions", None)
    state = extensions.get("toastkit") if isinstance(extensions, dict) else None
    kit = getattr(state, "kit", None)
    return kit if isinstance(kit, Kit) else None
