"""Hold a kit as only a test may: it tells what it does, does it at once, and no push leaves it."""

# ruff: noqa: SLF001 - what a program must not move is private; a test has to.

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from ..deliveries import Delivery, Outcome, Refusal
from ..errors import UsageError
from ..events import Event
from ..kit import Kit, open_kits
from ..publishing import Sink
from ..receipts import Receipt
from ..runtime.contract import Runtime
from ..senders.apns import RecordingApns
from ..senders.contract import Sender
from .overheard import Overheard

PUSH = "apns"
SECONDS = 10.0
"""How long a kit that is to come to rest may be at work, before a test is told so."""


class Ear(Sink):
    """Note what is published, and tell it on."""

    def __init__(self, on: Sink) -> None:
        self._on = on
        self.toasts: list[tuple[Event, Receipt]] = []
        self.controls: list[Event] = []
        self.unseen: set[str] = set()

    @property
    def waits(self) -> bool:
        """Tell whether something is still to become of a toast."""
        return any(
            receipt.status == "queued" and receipt.id not in self.unseen
            for _, receipt in tuple(self.toasts)
        )

    def published(self, toasts: Sequence[Event], receipts: Sequence[Receipt]) -> None:
        self.toasts += zip(toasts, receipts, strict=True)
        self._on.published(toasts, receipts)

    def committed(self, toasts: Sequence[Event]) -> None:
        """Note what was committed inside a transaction that a test takes back: nobody is told."""
        self.unseen |= {event.id for event in toasts}
        self.toasts += [(event, Receipt.queued(event.id)) for event in toasts]

    def told(self, control: Event) -> None:
        self.controls.append(control)
        self._on.told(control)


@dataclass(frozen=True, slots=True)
class Held:
    """A kit that is held, what it published since, and the pushes it would have sent.

    ``undo`` is what takes back whom a test has made online or offline.
    """

    kit: Kit
    ear: Ear
    apns: RecordingApns
    undo: ExitStack = field(default_factory=ExitStack)

    def ring(self) -> None:
        """Have pushes be made, also where the settings say nothing of Apple.

        Not before a test wants one: without, what becomes of a toast is told as it is there.
        """
        if PUSH not in self.kit._senders.kinds:
            self.kit._senders.swap(PUSH, self.apns)

    def settle(self) -> None:
        """Have everything done that is due by now, and wait until it is."""
        kit = self.kit
        serve(kit)
        if kit._carrier() is None:
            kit._begin(kit._make_courier())  # the setting leaves it to another process
        for rounds in (*kit._looking, *kit._couriers):
            if not rounds.stopped and not rounds.look_now(SECONDS):
                raise UsageError(f"toastkit was still at work after {SECONDS:.0f} seconds")
        self.carry()
        # What clients have said is heard before it is looked who was silent. Two turns of the loop:
        # what it finds readable and what it finds due in one may come in any order.
        _turn(kit.node.runtime)
        _turn(kit.node.runtime)
        kit.node.runtime.ask(kit.node._watch.tick)

    def end(self) -> None:
        """Have nobody be there any more, and wait for the pushes that are being made."""
        if self.kit not in open_kits:
            return
        self.undo.close()
        for courier in self.kit._couriers:
            courier._await(SECONDS)

    def carry(self) -> None:
        """Have every push made that is due by now."""
        courier = self.kit._carrier()
        if courier is not None and not courier.settle(SECONDS):
            raise UsageError(f"pushes were still on their way after {SECONDS:.0f} seconds")


@contextmanager
def hold(kit: Kit) -> Iterator[Held]:
    """Hold a kit, and give it back as it was; what it owed meanwhile is never pushed."""
    publisher, senders = kit._publisher, kit._senders
    before = publisher._sink, publisher._serving, publisher._beside
    joined = kit._joining.publish
    ear, apns = Ear(publisher._sink), RecordingApns(kit._ground.clock)
    publisher._sink, publisher._beside = ear, _at_once
    publisher._serving = lambda: serve(kit)
    host = kit._joining._host
    overheard = Overheard(joined, ear.committed, beside=host is not None and host.beside)
    setattr(kit._joining, "publish", overheard)  # noqa: B010 - a method, which mypy would not have
    real = senders.swap(PUSH, apns) if PUSH in senders.kinds else None
    _think_well(kit)
    held = Held(kit, ear, apns)
    try:
        yield held
    finally:
        held.end()
        publisher._sink, publisher._serving, publisher._beside = before
        setattr(kit._joining, "publish", joined)  # noqa: B010
        overheard.close()
        senders.swap(PUSH, real and Spared.of(real, {receipt.id for _, receipt in ear.toasts}))
        _think_well(kit)


class Spared:
    """Be a sender, but for what a test has published: that leaves later no more than at once."""

    kind = PUSH

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.room = getattr(sender, "room", 8)
        self._spared: set[str] = set()

    @classmethod
    def of(cls, sender: Sender, toast_ids: set[str]) -> Spared:
        """Return it, with more that is not to leave."""
        spared = sender if isinstance(sender, cls) else cls(sender)
        spared._spared |= toast_ids
        return spared

    def post(self, delivery: Delivery) -> Outcome:
        """Make one attempt, unless it is about what a test has published."""
        if delivery.toast_id in self._spared:
            return Refusal("a test published it")
        return self.sender.post(delivery)

    def close(self) -> None:
        """Give back what it holds."""
        close = getattr(self.sender, "close", None)
        if callable(close):
            close()


def serve(kit: Kit) -> bool:
    """Have a kit serve, so that it may decide; tell whether it does."""
    if not kit.node.serving and kit in open_kits:
        kit.node.serve()
    return kit.node.serving


def _turn(runtime: Runtime) -> None:
    turned = runtime.signal()
    runtime.call_later(0, turned.set)
    turned.wait(SECONDS)


def _at_once(job: Callable[[], None]) -> None:
    job()


def _think_well(kit: Kit) -> None:
    # What was learned of one sender says nothing about the other.
    for courier in kit._couriers:
        courier._judge.health.pop(PUSH, None)
