"""Whether a kit can accept what is published, and what of it works only in part."""

from __future__ import annotations

from msgspec import Struct

from .kit import Kit

REDIS = (
    "Redis cannot be reached: clients of other workers are told seconds later, from the database, "
    "and each worker limits rates for itself"
)


class Degraded(Struct, frozen=True):
    """Name what works in part only, and say what that means; no address, for anybody may ask."""

    name: str
    message: str


def look(kit: Kit) -> list[Degraded]:
    """Make sure that a kit can accept toasts, and return what is degraded.

    Raises:
        ConfigError: the database cannot be opened, for what the settings say.
        StorageUnavailable: it cannot be read, or what was written last failed and would again.
    """
    ground = kit._ground  # noqa: SLF001  # no business of a host's
    # One read opens the database if nobody has yet, and proves that it answers.
    kit.toasts.list("health", 1)
    ground.storage.ensure_writable()
    return [] if ground.backplane.trouble is None else [Degraded("redis", REDIS)]
