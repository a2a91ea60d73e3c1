"""Make the parts of a kit from one ground, and join them without tying them to the kit.

A kit that nobody holds any more must be collected, so whatever runs beside it (jobs, signals, the
backplane) holds it weakly.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import ParamSpec, TypeVar

from .backplane.contract import Backplane, Dismissal
from .clock import Clock
from .closing import CloseReason
from .config import Config
from .errors import ConfigError, NotServing
from .events import Event
from .ground import Ground
from .identity import Anonymous, AnonymousParts, Authenticator, Identity, Sessions, Tickets
from .identity.anonymous import REBOUND
from .live import Node, NodeParts, Rules
from .live.connected import connections_of
from .live.rules import Context
from .metrics import Probe
from .publishing import (
    Courier,
    CourierParts,
    Data,
    DataParts,
    Deliveries,
    DeliveriesParts,
    Fallback,
    FallbackParts,
    Publisher,
    PublisherParts,
    Round,
    Rounds,
    Senders,
    Sweeper,
    SweeperParts,
    Toasts,
    ToastsParts,
    Told,
    control_event,
)
from .senders.contract import Sender
from .verifiers.contract import Verifier

P = ParamSpec("P")
T = TypeVar("T")


WAITING_SECONDS = 15.0
"""Time between two counts of the deliveries that wait: as often as Prometheus usually asks."""


@dataclass(frozen=True, slots=True)
class Beginnings:
    """Say what happens once: at the first connection, and when this process begins to serve."""

    at_first: Callable[[], object]
    at_serve: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Heralds:
    """Say how the rest of a kit hears that sessions ended or that a rebind took place.

    ``node`` returns the present node, ``tell`` takes a control to whoever is connected, and
    ``receivers`` names the kinds of deliveries that are owed for such a happening.
    """

    node: Callable[[], Node | None]
    tell: Callable[[Event], object]
    receivers: Callable[[str], Sequence[str]]


def make_identity(ground: Ground, verifiers: Sequence[Verifier], heralds: Heralds) -> Identity:
    """Make what knows who is asking."""
    dismiss = _dismissal(heralds.node)
    sessions = Sessions(
        ground.storage.sessions,
        ground.config,
        ground.clock,
        dismiss,
        revoked=ground.announcer.revoked,
        spread=_spread(ground.backplane),
    )
    ground.backplane.heed(partial(_heed, weakref.ref(sessions), dismiss))
    tickets = Tickets(ground.storage.tickets, ground.config, ground.clock)
    authenticator = Authenticator(sessions, verifiers, ground.config)
    anonymous = _make_anonymous(ground, sessions, heralds)
    return Identity(authenticator, sessions, tickets, anonymous)


def _make_anonymous(ground: Ground, sessions: Sessions, heralds: Heralds) -> Anonymous:
    dismiss, spread = _dismissal(heralds.node), _spread(ground.backplane)

    def moved(anon_id: str, user_id: str, toasts: int) -> None:
        dismiss(anon_id)
        spread(anon_id)
        if toasts:
            now, count = ground.clock.now(), {"count": toasts}
            control = control_event("toasts.rebound", count, user_id, now, most_bytes=1024)
            with suppress(NotServing):  # the list is the truth: whoever connects fetches it
                heralds.tell(control)

    return Anonymous(
        AnonymousParts(
            ground.storage.anonymous,
            sessions,
            ground.config,
            ground.clock,
            lambda: heralds.receivers(REBOUND),
            moved,
            ground.announcer.rebound,
        )
    )


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
        ground.teller,
    )
    return Node(parts, at_first=begin.at_first, at_serve=begin.at_serve)


def make_senders(ground: Ground, senders: Sequence[Sender], context: Context) -> Senders:
    """Hold the host's senders, and Apple's if the settings say how to sign for it.

    Raises:
        ConfigError: a setting or a sender is wrong, or a package is missing.
    """
    made = _apns(ground.config, ground.clock)
    if made and any(getattr(sender, "kind", None) == made[0].kind for sender in senders):
        raise ConfigError(
            f"two senders are of kind {made[0].kind!r}, one you gave and one of the settings: leave "
            "either out (in a test set apns_team_id, apns_key_id and apns_key_file to '')"
        )
    return Senders((*senders, *made), context)


def _apns(config: Config, clock: Clock) -> Sequence[Sender]:
    names = ("apns_team_id", "apns_key_id", "apns_key_file")
    missing = [name for name in names if not getattr(config, name)]
    if len(missing) == len(names):
        return ()
    if missing:
        raise ConfigError(
            f"{' and '.join(missing)} must be set, too: pushes need all of {', '.join(names)}, or "
            "none of them"
        )
    # Imported here: a process that sends no pushes need not load h2 for them.
    from .senders.apns import ApnsSender, ApnsSettings

    return (ApnsSender(ApnsSettings.of(config), clock),)


def make_fallback(
    ground: Ground, kinds: Collection[str], courier: Callable[[], Courier | None]
) -> Fallback:
    """Make what owes a push where nobody is there; ``courier`` returns what carries here."""
    repository = ground.storage.deliveries
    return Fallback(FallbackParts(ground.config, ground.clock, repository, kinds, courier))


def make_publisher(
    ground: Ground, fallback: Fallback, node: Callable[[], Node | None]
) -> Publisher:
    """Make the road of every event; ``node`` returns the present node."""
    return Publisher(
        PublisherParts(
            ground.config,
            ground.clock,
            ground.runtime,
            ground.storage.inbox,
            ground.timed_backplane,
            fallback,
            serving=lambda: (here := node()) is not None and here.serving,
            sink=ground.teller,
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
    dismiss_here, spread = _dismissal(node), _spread(ground.backplane)

    def dismiss(user_id: str) -> None:
        sessions.doubt()
        dismiss_here(user_id)
        spread(user_id)

    return Data(
        DataParts(
            ground.storage.keeping,
            ground.config,
            ground.clock,
            dismiss,
            ground.runtime.breathe,
        )
    )


def make_deliveries(
    ground: Ground,
    kinds: Collection[str],
    hurry: Callable[[], object],
    courier: Callable[[Told | None], Courier | None],
) -> Deliveries:
    """Make the facet of what is owed; ``hurry`` has it carried at once, ``courier`` carries it."""
    repository = ground.storage.deliveries
    return Deliveries(
        DeliveriesParts(ground.config, ground.clock, repository, kinds, hurry, courier)
    )


def make_courier(ground: Ground, senders: Senders, told: Told | None = None) -> Courier:
    """Make what carries what is owed; the senders may hold the whole app, so it knows them weakly."""
    return Courier(
        CourierParts(
            ground.config,
            ground.clock,
            ground.runtime,
            ground.storage.deliveries,
            weakref.ref(senders),
            told=told,
            sink=ground.teller,
        )
    )


def make_sweeper(
    ground: Ground, publisher: Publisher, fallback: Fallback, prune: Callable[[], bool]
) -> Sweeper:
    """Make what looks for undecided toasts, and for what is kept no longer."""
    return Sweeper(
        SweeperParts(
            ground.config,
            ground.clock,
            ground.runtime,
            ground.storage.inbox,
            publisher,
            fallback,
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


def _spread(backplane: Backplane) -> Callable[..., None]:
    """Return how other workers hear whose connections end: all of a user, or those of sessions."""

    def spread(user_id: str, session_hashes: Collection[str] = ()) -> None:
        backplane.dismiss(Dismissal(user_id, tuple(session_hashes)))

    return spread


def _heed(known: weakref.ref[Sessions], dismiss: Callable[..., None], dismissal: Dismissal) -> None:
    """Carry out, on the loop, what another worker has dismissed: sessions, or all of a user."""
    sessions = known()
    if sessions is None:
        return
    if dismissal.sessions:
        sessions.revocations.tell(dismissal.user_id, dismissal.sessions)
    else:
        sessions.doubt()
        dismiss(dismissal.user_id)


def make_probes(ground: Ground) -> Sequence[Rounds | Probe]:
    """Begin to count, where somebody wants that; return what is to be started with it."""
    metrics, waiting = ground.metrics, ground.storage.deliveries.waiting
    if metrics is None:
        return ()
    probe = metrics.begin(ground.runtime, ground.clock, ground.backplane)
    look = Round(lambda: metrics.waiting(waiting()), WAITING_SECONDS, "waiting deliveries")
    return probe, Rounds(ground.runtime, look)


def make_lookout(ground: Ground, sessions: Sessions) -> Rounds:
    """Make what looks for sessions that other processes have revoked.

    Beside the sweeper, whose rounds may take long: a revoked session's socket ends within a second.
    """
    seconds = ground.config.sweep_ms / 1000
    return Rounds(ground.runtime, Round(sessions.revocations.look, seconds, "revoked sessions"))


def weakly(method: Callable[P, T]) -> Callable[P, T | None]:
    """Return a call that does not keep the method's owner alive, and does nothing without it."""
    found = weakref.WeakMethod(method)

    def call(*args: P.args, **given: P.kwargs) -> T | None:
        here = found()
        return None if here is None else here(*args, **given)

    return call
