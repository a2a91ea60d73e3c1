"""What a test knows of its app's toasts: the fixture, and the same without pytest."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Self

from .. import principals
from ..current import find_current
from ..deliveries import read_steps
from ..errors import Invalid, StorageUnavailable, UnknownDevice, UsageError
from ..kit import Kit, open_kits
from ..records import Device
from .clients import OnlineClient, disconnect
from .clock import ManualClock
from .hold import PUSH, Held, hold, serve
from .lists import PublishedToast, PublishedToasts, Push, Pushes, ToldControl, ToldControls

Find = Callable[[], Held]


class Toasts:
    """Ask what an app published in this test, and say who is in front of it."""

    def __init__(self, everywhere: Everywhere, find: Find) -> None:
        self._everywhere = everywhere
        self._find = find

    @property
    def kit(self) -> Kit:
        """Return the kit that is asked about."""
        return self._find().kit

    @property
    def all(self) -> PublishedToasts:
        """Return every toast that was published, in order; duplicates were not."""
        return PublishedToasts(self._published(duplicate=False), "published", self._elsewhere)

    @property
    def duplicates(self) -> PublishedToasts:
        """Return what was left out, for its dedupe key had been used."""
        return PublishedToasts(self._published(duplicate=True), "duplicates")

    @property
    def controls(self) -> ToldControls:
        """Return every control that was told, toastkit's own included."""
        told = [
            ToldControl(kind=event.name, params=event.data, user_id=event.user_id)
            for event in tuple(self._find().ear.controls)
        ]
        return ToldControls(told, "controls")

    @property
    def pushed(self) -> Pushes:
        """Return every push that Apple would have got, in order; nothing of it has left."""
        held = self._find()
        if held.ear.waits and held.kit.node.serving:
            held.carry()
        pushed = [Push.of(sent) for sent in tuple(held.apns.posted)]

        def beside() -> str:
            return "" if pushed or not self.all else repr(self.all)[1:-1]

        return Pushes(pushed, "pushed", beside)

    @property
    def clock(self) -> ManualClock:
        """Return the clock the app was given to be set by its tests.

        Raises:
            UsageError: it has the system's.
        """
        __tracebackhide__ = True
        clock = self.kit.node.clock
        if not isinstance(clock, ManualClock):
            raise UsageError(
                "this app goes by the system's clock: where it is made for tests, say "
                "ToastKit(app, clock=ManualClock()) or toastkit.init_app(app, clock=ManualClock()), "
                "with ManualClock of toastkit.testing"
            )
        return clock

    def to(self, user_id: object) -> PublishedToasts:
        """Return what was published to a user, in order; empty where that is nothing.

        Raises:
            UsageError: that is no user id.
        """
        __tracebackhide__ = True
        whom, everything = self._user(user_id), self._published(duplicate=False)
        mine = [toast for toast in everything if toast.user_id == whom]
        others = [toast for toast in everything if toast.user_id != whom]

        def beside() -> str:
            return "" if mine else _others(others) or self._elsewhere()

        return PublishedToasts(mine, f"to {whom}", beside)

    def of(self, app: object) -> Toasts:
        """Ask about another app of this test, or another ``Kit``."""
        return self._everywhere.toasts(app)

    def online(self, user_id: object, *topics: str) -> OnlineClient:
        """Open a page of a user, which listens to ``topics``: by default to the user's own.

        Raises:
            UsageError: that is no user id, or a topic is not open to that user.
        """
        held = self._find()
        serve(held.kit)
        client = OnlineClient(held.kit, self._user(user_id), topics)
        held.undo.callback(client.close)
        return client

    def offline(self, user_id: object) -> Device:
        """Close every page of a user and register a phone: the next toast is a push.

        Raises:
            UsageError: that is no user id, or the settings want no pushes.
        """
        held, whom = self._find(), self._user(user_id)
        config = held.kit.config
        if PUSH not in [step.kind for step in read_steps(config.fallback)]:
            raise UsageError(f"TOASTKIT_FALLBACK wants no pushes: it is {config.fallback}")
        serve(held.kit)
        held.ring()
        disconnect(held.kit, whom)
        token = hashlib.sha256(whom.encode()).hexdigest()
        phone = held.kit.devices.register(whom, f"phone-{token[:8]}", None, {"token": token})
        held.undo.callback(_forget, held.kit, phone)
        return phone

    def settle(self) -> None:
        """Have everything done that is due by now, such as after ``clock.advance``."""
        self._find().settle()
        for websocket in self._everywhere.websockets:
            websocket.catch_up()

    def websocket(self, client: Any, **given: Any) -> Any:
        """Connect to a Flask app's gateway, as the user of its test client: a ``WebSocketClient``."""
        make = importlib.import_module("toastkit_flask.testing").WebSocketClient
        made = make(client, note=lambda: f"; {self.all}", **given)
        self._everywhere.websockets.append(made)
        return made

    def __repr__(self) -> str:
        try:
            return repr(self.all)
        except UsageError as error:
            return f"<toasts: {error}>"

    def _elsewhere(self) -> str:
        return self._everywhere.others(self._find())

    def _published(self, *, duplicate: bool) -> list[PublishedToast]:
        return [
            PublishedToast.of_event(event, receipt)
            for event, receipt in tuple(self._find().ear.toasts)
            if (receipt.status == "duplicate") is duplicate
        ]

    def _user(self, user_id: object) -> str:
        __tracebackhide__ = True
        try:
            return principals.user_id(user_id)
        except Invalid as error:
            told = _others(self._published(duplicate=False)) or "nobody got anything"
            raise UsageError(f"{user_id!r} is no user: {error}; {told}") from None


class Everywhere:
    """Hold every kit of the process, and each that is made meanwhile.

    ``fixture`` returns the app that is meant where nothing else says so, or what is none.
    """

    def __init__(self, fixture: Callable[[], object] = lambda: None) -> None:
        self._fixture = fixture
        self._stack = ExitStack()
        self._known: list[Kit] = []
        self._held: list[Held] = []
        self.websockets: list[Any] = []

    def __enter__(self) -> Self:
        self._known = list(open_kits)
        for kit in self._known:
            self._hold(kit)
        open_kits.watchers.append(self._hold)
        return self

    def __exit__(self, *_: object) -> None:
        open_kits.watchers.remove(self._hold)
        for websocket in self.websockets:
            websocket.close()
        self._stack.close()

    def toasts(self, app: object = None) -> Toasts:
        """Return what to ask about an app or kit; about the only one there is, if none is named."""
        if app is None:
            return Toasts(self, self._only)
        held = self._holding(kit_of(app))
        return Toasts(self, lambda: held)

    def others(self, but: Held) -> str:
        """Say what other kits published, for a test that asks the wrong one."""
        titles = [
            event.data["title"]
            for held in self._held
            if held is not but
            for event, _ in tuple(held.ear.toasts)
        ]
        return f"another app published {titles}: toasts.of(app) is about that" if titles else ""

    def _hold(self, kit: Kit) -> None:
        self._held.append(self._stack.enter_context(hold(kit)))

    def _holding(self, kit: Kit) -> Held:
        for held in self._held:
            if held.kit is kit:
                return held
        raise UsageError("this kit is closed: make an app, or a kit, for each test or for all")

    def _only(self) -> Held:
        current = find_current()
        if current is not None:
            return self._holding(current)
        there = [held for held in self._held if held.kit in open_kits]
        made = [held for held in self._held if held.kit not in self._known]
        if len(made) == 1:
            return made[0]
        kit = find_kit_of(self._fixture())
        if kit is not None:
            return self._holding(kit)
        if len(there) == 1:
            return there[0]
        if not (made or there):
            raise UsageError(
                "no kit is open: make one first, or name the fixture that makes your app 'app'"
            )
        raise UsageError(
            f"{len(made or there)} kits are open, and none is the current app's: say which one "
            "with toasts.of(app), or name the fixture that makes your app 'app'"
        )


@contextmanager
def recording(app: object = None) -> Iterator[Toasts]:
    """Record what a Flask app, or a ``Kit``, publishes; by default the only one there is.

    For tests without pytest's fixture ``toasts``, which is this.
    """
    with Everywhere() as everywhere:
        yield everywhere.toasts(app)


def kit_of(app: object) -> Kit:
    """Return the kit of a Flask app; a kit is its own.

    Raises:
        UsageError: it has none.
    """
    kit = find_kit_of(app)
    if kit is None:
        raise UsageError(f"{app!r} is neither a Kit nor a Flask app with ToastKit(app)")
    return kit


def find_kit_of(app: object) -> Kit | None:
    """Return the kit of a Flask app, or ``None`` where toastkit is not set up."""
    if isinstance(app, Kit):
        return app
    extensions = getattr(app, "extensions", None)
    state = extensions.get("toastkit") if isinstance(extensions, dict) else None
    kit = getattr(state, "kit", None)
    return kit if isinstance(kit, Kit) else None


def _forget(kit: Kit, phone: Device) -> None:
    # The test may have taken it away, or hold the lock that this would wait for.
    with suppress(UnknownDevice, StorageUnavailable):
        kit.devices.remove(phone.user_id, phone.device_id)


def _others(toasts: list[PublishedToast]) -> str:
    got: dict[str, list[str]] = {}
    for toast in toasts:
        got.setdefault(toast.user_id, []).append(toast.title)
    return ", ".join(f"{user} got {titles}" for user, titles in got.items())
