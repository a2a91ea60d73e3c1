"""Everything wired from one ``Config``: what a program uses, with Flask or without."""

from __future__ import annotations

import atexit
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from itertools import islice
from typing import Any, Self, TypeVar

from .announcing import Announcer, Stage
from .clock import Clock
from .config import Config
from .errors import ConfigError, Invalid
from .events import Event, Toast
from .ground import Ground
from .hooks import Hooks
from .identity import Devices
from .joining import Db, Host, Joining
from .live import Node
from .live.rules import Context
from .metrics import Metrics, Probe
from .publishing import (
    Controls,
    Courier,
    Rounds,
    ToastOptions,
    Told,
    control_event,
    toast_event,
)
from .receipts import Receipt
from .runtime import Living
from .senders.contract import Sender
from .storage import Ownable
from .verifiers.contract import Verifier
from .wiring import (
    Beginnings,
    Heralds,
    make_courier,
    make_data,
    make_deliveries,
    make_fallback,
    make_identity,
    make_lookout,
    make_node,
    make_probes,
    make_publisher,
    make_senders,
    make_sweeper,
    make_toasts,
    weakly,
)

T = TypeVar("T")

SLICE = 64
"""How many of many toasts are made, kept together and told before others get their turn."""


class Kit:
    """Publish toasts and controls, and hold what serves their clients.

    Building a kit touches neither disk nor threads; it opens at first use, in each process that
    uses it, and ``close()`` (or leaving its ``with`` block) ends it. ``owned`` names the tables of
    the host's, in the same database, that hold what is users'; without it those that are
    registered count. ``sender`` is who the signals say they come from: by default the kit.
    ``metrics`` counts what it does. Where the settings say how to sign for Apple's push service,
    the key's file is read at once.
    """

    def __init__(
        self,
        config: Config,
        *,
        hooks: Hooks | None = None,
        verifiers: Sequence[Verifier] = (),
        senders: Sequence[Sender] = (),
        context: Context = nullcontext,
        clock: Clock | None = None,
        host: Host | None = None,
        owned: Iterable[Ownable] | None = None,
        sender: object = None,
        metrics: Metrics | None = None,
    ) -> None:
        _ensure_database(config)
        self.config = config
        self._context = context
        self._sender = sender
        announcer = Announcer(weakly(self._find_stage))
        self._ground = Ground.of(
            config, hooks, clock, announcer=announcer, host=host, owned=owned, metrics=metrics
        )
        self._senders = make_senders(self._ground, senders, context)
        self._looking: Sequence[Rounds | Probe] = ()
        self._couriers: tuple[Courier, ...] = ()
        self._at_exit = weakly(self.close)
        kinds, node = self._senders.kinds, weakly(self._find_node)
        self._fallback = make_fallback(self._ground, kinds, weakly(self._carrier))
        self._publisher = make_publisher(self._ground, self._fallback, node)
        heralds = Heralds(node, self._publisher.publish_control, self._senders.kinds_of)
        self.identity = make_identity(self._ground, verifiers, heralds)
        self.node = self._make_node()
        self.sessions = self.identity.sessions
        self.devices = Devices(self._ground.storage.devices, config, self._ground.clock, kinds)
        self._joining = Joining(config.database_url, host, self._publisher)
        self._controls = Controls(self._ground.hooks)
        self.toasts = make_toasts(self._ground, self._publisher, node)
        self.data = make_data(self._ground, self.sessions, node)
        carry = weakly(self._begin_to_carry)
        self.deliveries = make_deliveries(self._ground, kinds, weakly(self._hurry), carry)
        open_kits.add(self)

    def publish_toast(
        self,
        user_id: object,
        toast: Toast | Mapping[str, Any] | str,
        *,
        topic: str | None = None,
        dedupe_key: str | None = None,
        collapse_key: str | None = None,
        ttl_ms: float | None = None,
        fallback_apns: bool = True,
        db: Db = "auto",
    ) -> Receipt:
        """Publish a toast to one user and say what became of it (A14-A18).

        ``toast`` is a ``Toast``, a mapping like the HTTP body's ``toast``, or just a title.
        ``topic`` defaults to ``user:<user_id>``, what a first connect hears. Returns once the
        toast is durable and, in a process that serves sockets, told to whoever is there; waits
        at most ``confirm_ms`` for that.

        ``db``: a toast that joins a transaction is published by its outermost commit and discarded
        by a rollback; the receipt says ``queued``. ``"auto"`` joins the current session of the
        kit's ``Host`` if that has uncommitted writes; a session is joined always; ``None`` never.

        Raises:
            Invalid: the first field that is wrong.
            TopicNotAllowed: the topic is somebody else's.
            CannotJoin: that transaction takes no toasts, or holds the lock that storage needs.
            StorageUnavailable: nothing was kept; the same call may succeed later.
        """
        options = self._options(
            topic=topic,
            dedupe_key=dedupe_key,
            collapse_key=collapse_key,
            ttl_ms=ttl_ms,
            fallback_apns=fallback_apns,
        )
        event = toast_event(user_id, Toast.of(toast), options, self._ground.clock.now())
        return self._road(db)([event])[0]

    def publish_toasts(
        self,
        user_ids: Iterable[object],
        toast: Toast | Mapping[str, Any] | str,
        *,
        topic: str | None = None,
        dedupe_key: str | None = None,
        collapse_key: str | None = None,
        ttl_ms: float | None = None,
        fallback_apns: bool = True,
        db: Db = "auto",
    ) -> list[Receipt]:
        """Publish one toast to many users; one receipt each, in their order.

        Goes in slices, so that thousands of users hold up nobody else; every user id is checked
        before the first toast is published. In a transaction (``db``) all of them join it.

        Raises:
            Invalid, TopicNotAllowed, CannotJoin: nothing was published.
            StorageUnavailable: the slices before were published.
        """
        if isinstance(user_ids, (str, bytes)):
            # Its characters would be taken for users.
            text = "user_ids must be several ids, such as a list; for one there is publish_toast"
            raise Invalid(text, ("user_ids",), "type")
        options = self._options(
            topic=topic,
            dedupe_key=dedupe_key,
            collapse_key=collapse_key,
            ttl_ms=ttl_ms,
            fallback_apns=fallback_apns,
        )
        content, now = Toast.of(toast), self._ground.clock.now()
        events = [
            toast_event(user_id, content, options, now)
            for some in self._slices(user_ids)
            for user_id in some
        ]
        publish = self._road(db)
        return [receipt for some in self._slices(events) for receipt in publish(some)]

    def publish_control(
        self, kind: str, params: Mapping[str, Any] | None = None, user_id: object = None
    ) -> None:
        """Tell a silent control to one user, or (nobody named) to everybody connected (A27).

        A kind that nobody registered (``Hooks.controls``) is published all the same, with a
        warning.

        Raises:
            Invalid, TooLarge: the kind or the params are wrong.
            NotServing: this process serves no sockets, and it reaches no other.
            BackplaneUnavailable: Redis, through which it reaches others, is away; nobody was told.
        """
        most, now = self.config.control_bytes, self._ground.clock.now()
        given = {} if params is None else params
        event = control_event(kind, given, user_id, now, most_bytes=most)
        # A process that neither serves nor registers any kind, such as a shell, cannot know them.
        if self.node.serving or self._ground.hooks.controls:
            self._controls.note(event.name)
        self._publisher.publish_control(event)

    def close(self) -> None:
        """Say farewell to every client, store what is owed, and give everything back."""
        if self not in open_kits:
            return
        open_kits.discard(self)
        atexit.unregister(self.close)
        atexit.unregister(self._at_exit)
        for each in self._looking:
            each.cancel()
        for each in self._looking:
            each.stop(self.config.storage_wait_ms / 1000)
        for courier in self._couriers:
            courier.cancel()
        self._publisher.finish(self.config.close_seconds)
        if self.node.serving:
            self.node.stop()
        for courier in self._couriers:
            # Last: clients must not wait for the outside world to be told.
            courier.stop(self.config.close_seconds)
        self._senders.close()
        self._ground.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _forked(self) -> None:
        # The clients are the parent's: the child may neither talk to them nor decide who is there.
        # Nor does its end close what senders have open; it registers anew once it has begun itself.
        atexit.unregister(self.close)
        atexit.unregister(self._at_exit)
        self._publisher.abandon()
        self.node.abandon()
        self._ground.abandon()
        self.node = self._make_node()
        for each in self._looking:
            each.abandon()
        self._looking = ()
        for courier in self._couriers:
            courier.abandon()
        self._couriers = ()

    def _make_node(self) -> Node:
        # The process that took the first socket tells its clients when it exits; no hook of the
        # host is needed for that, and a master that only forks says nothing.
        begin = Beginnings(weakly(self._close_at_exit), weakly(self._begin_to_sweep))
        return make_node(self._ground, self.identity.tickets, self._context, begin)

    def _close_at_exit(self) -> None:
        atexit.register(self.close)

    def _begin_to_sweep(self) -> None:
        for each in self._looking:
            each.cancel()  # of a beginning that failed half-way
        self._fallback.warn()
        prune = self.data.prune_some
        sweeper = make_sweeper(self._ground, self._publisher, self._fallback, prune)
        lookout = make_lookout(self._ground, self.sessions)
        self._looking = (sweeper, lookout, *make_probes(self._ground))
        for each in self._looking:
            self._begin(each)
        if self.config.carry:
            self._begin(self._make_courier())
            if self._senders.kinds:
                # Without close() what was posted while this process ends would be posted again.
                weakref.finalize(self, atexit.unregister, self._at_exit).atexit = False
                atexit.register(self._at_exit)

    def _begin(self, rounds: Rounds | Probe) -> None:
        # An app that is dropped, as tests do, must leave no job behind.
        weakref.finalize(self, rounds.cancel).atexit = False
        try:
            rounds.start()
        except BaseException:  # no thread is to be had: nobody may take it for one that goes round
            rounds.cancel()
            raise

    def _begin_to_carry(self, told: Told | None) -> Courier:
        # Outcomes are written with the next commit, so close() must run before the process ends.
        self._close_at_exit()
        return self._make_courier(told)

    def _make_courier(self, told: Told | None = None) -> Courier:
        courier = make_courier(self._ground, self._senders, told)
        # A program that calls carry() every minute must not pile up couriers that have stopped.
        self._couriers = (*(each for each in self._couriers if not each.stopped), courier)
        return courier

    def _find_node(self) -> Node:
        return self.node

    def _find_stage(self) -> Stage:
        return Stage(self if self._sender is None else self._sender, self._context)

    def _carrier(self) -> Courier | None:
        return next((each for each in self._couriers if not each.stopped), None)

    def _hurry(self) -> None:
        for courier in self._couriers:
            courier.hurry()

    def _road(self, db: Db) -> Callable[[Sequence[Event]], list[Receipt]]:
        session = self._joining.session(db)
        return (
            self._publisher.publish if session is None else partial(self._joining.publish, session)
        )

    def _slices(self, items: Iterable[T]) -> Iterator[list[T]]:
        rest = iter(items)
        while some := list(islice(rest, SLICE)):
            yield some
            self._ground.runtime.breathe()

    def _options(self, **given: Any) -> ToastOptions:
        return ToastOptions(dedupe_ms=self.config.dedupe_ms, **given)


def _ensure_database(config: Config) -> None:
    if not config.database_url:
        raise ConfigError(
            "database_url is not set: set TOASTKIT_DATABASE_URL (or DATABASE_URL), "
            "for example sqlite:////var/lib/app/toastkit.db"
        )


open_kits: Living[Kit] = Living()
"""The kits of this process that have not been closed."""
