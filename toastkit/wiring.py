"""Make the parts of a kit from one ground, and join them without tying them to the kit.

A kit that nobody holds any more must go: what runs beside it knows it weakly only.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .backplane import MemoryBackplane
from .clock import Clock, SystemClock
from .closing import CloseReason
from .config import Config
from .hooks import Hooks
from .identity import Authenticator, Identity, Sessions, Tickets
from .joining import Host
from .live import Node, NodeParts, Rules
from .live.presence import connections_of
from .live.rules import Context
from .publishing import (
    Data,
    DataParts,
    Publisher,
    PublisherParts,
    Sweeper,
    SweeperParts,
    Toasts,
    ToastsParts,
)
from .runtime import runtime_for
from .runtime.contract import Runtime
from .storage import Storage
from .verifiers.contract import Verifier


@dataclass(frozen=True, slots=True)
class Ground:
    """Hold what every part of one kit stands on."""

    config: Config
    hooks: Hooks
    clock: Clock
    runtime: Runtime
    backplane: MemoryBackplane
    storage: Storage

    @classmethod
    def of(
        cls, config: Config, hooks: Hooks | None, clock: Clock | None, host: Host | None
    ) -> Ground:
        """Make it; touches neither disk nor threads."""
        clock, runtime = clock or SystemClock(), runtime_for(config.runtime)
        storage = Storage(
            config.database_url,
            runtime,
            clock,
            wait_ms=config.storage_wait_ms,
            own_schema=host is None,
        )
        return cls(config, hooks or Hooks(), clock, runtime, MemoryBackplane(runtime), storage)


@dataclass(frozen=True, slots=True)
class Beginnings:
    """Say what happens once: at the first connection, and when this process begins to serve."""

    at_first: Callable[[], object]
    at_serve: Callable[[], object]


def make_identity(
    ground: Ground, verifiers: Sequence[Verifier], node: Callable[[], Node | None]
) -> Identity:
    """Make what knows who is asking; ``node`` returns the living one."""
    sessions = Sessions(ground.storage.sessions, ground.config, ground.clock, _dismissal(node))
    tickets = Tickets(ground.storage.tickets, ground.config, ground.clock)
    return Identity(Authenticator(sessions, verifiers, ground.config), sessions, tickets)


def make_node(ground: Ground, tickets: Tickets, context: Context, begin: Beginnings) -> Node:
    """Make the live half; a host's hooks are called inside ``context``."""
    rules = Rules(ground.hooks, context)
    parts = NodeParts(
        ground.config,
        ground.clock,
        ground.runtime,
        ground.backplane,
        rules,
        ground.storage.inbox,
        tickets.redeem,
    )
    return Node(parts, at_first=begin.at_first, at_serve=begin.at_serve)


def make_publisher(ground: Ground, node: Callable[[], Node | None]) -> Publisher:
    """Make the road of every event; ``node`` returns the living one."""
    return Publisher(
        PublisherParts(
            ground.config,
            ground.clock,
            ground.runtime,
            ground.storage.inbox,
            ground.backplane,
            serving=lambda: (here := node()) is not None and here.serving,
        )
    )


def make_toasts(ground: Ground, publisher: Publisher, node: Callable[[], Node | None]) -> Toasts:
    """Make the facet of toasts that were published."""
    return Toasts(
        ToastsParts(
            ground.config,
            ground.clock,
            ground.storage.inbox,
            publisher.publish_control,
            lambda user_id: None if (here := node()) is None else connections_of(here, user_id),
        )
    )


def make_data(ground: Ground, sessions: Sessions, node: Callable[[], Node | None]) -> Data:
    """Make the facet of what is kept of users."""
    dismiss_here = _dismissal(node)

    def dismiss(user_id: str) -> None:
        sessions.doubt()
        dismiss_here(user_id)

    return Data(
        DataParts(
            ground.storage.keeping,
            ground.config,
            ground.clock,
            dismiss,
            ground.runtime.breathe,
        )
    )


def make_sweeper(ground: Ground, publisher: Publisher, prune: Callable[[], bool]) -> Sweeper:
    """Make what looks for undecided toasts, and for what is kept no longer."""
    return Sweeper(
        SweeperParts(
            ground.config,
            ground.clock,
            ground.runtime,
            ground.storage.inbox,
            publisher,
            prune=prune,
        )
    )


def _dismissal(node: Callable[[], Node | None]) -> Callable[..., None]:
    """Return how a user's connections here are ended: all, or those of one session."""

    def dismiss(user_id: str, session_hash: str | None = None) -> None:
        here = node()
        if here is not None and here.serving:
            here.dismiss(user_id, CloseReason.TOKEN_REVOKED, session_hash)

    return dismiss


def weakly(method: Callable[[], object]) -> Callable[[], None]:
    """Return a call that does not keep the method's owner alive, and does nothing without it."""
    found = weakref.WeakMethod(method)

    def call() -> None:
        here = found()
        if here is not None:
            here()

    return call
