"""One road: stored first, told next, decided last; a control is only told."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import Mock

import pytest

from tests.fakes import FakeInbox, World, control, toast
from tests.publishing.phones import Phones
from toastkit.backplane.contract import Confirmation
from toastkit.deliveries import Sent
from toastkit.errors import BackplaneUnavailable, NotServing, StorageUnavailable
from toastkit.events import Event
from toastkit.publishing import Publisher, PublisherParts
from toastkit.receipts import Receipt


@dataclass
class FakePending:
    """Answer at once, and remember how long the publisher would have waited."""

    confirmations: list[Confirmation]
    waits: list[float]

    def wait(self, seconds: float) -> list[Confirmation]:
        self.waits.append(seconds)
        return self.confirmations


@dataclass
class FakeBackplane:
    """Answer what a test says, and remember what was told."""

    says: Confirmation = field(default_factory=lambda: Confirmation(1, 1, complete=True))
    told: list[Event] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    shared: bool = False
    trouble: str | None = None

    def broadcast(self, events: Sequence[Event]) -> FakePending:
        self.told += events
        return FakePending([self.says] * len(events), self.waits)


class Desk:
    """Hold a publisher and all it leans on."""

    def __init__(self, serving: bool = True, *kinds: str, **settings: Any) -> None:
        self.world = World(**settings)
        self.inbox, self.backplane = FakeInbox(), FakeBackplane()
        self.serving = serving
        self.phones = Phones(self.world, *kinds)
        self.publisher = Publisher(
            PublisherParts(
                self.world.config,
                self.world.clock,
                self.world.runtime,
                self.inbox,
                self.backplane,
                self.phones.fallback,
                lambda: self.serving,
            )
        )

    def publish(self, *toasts: Event) -> list[Receipt]:
        return self.publisher.publish(toasts)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_A16_what_a_worker_confirms_is_delivered(desk: Desk) -> None:
    (receipt,) = desk.publish(toast())
    assert receipt == Receipt.shown("01HXY7Z1", 1)
    assert [change.state for change in desk.inbox.changes] == ["written"]


def test_what_is_told_carries_its_position(desk: Desk) -> None:
    desk.publish(toast(seq=None, epoch=None), toast("u2", id="2", seq=None, epoch=None))
    assert [(event.id, event.seq, event.epoch) for event in desk.backplane.told] == [
        ("01HXY7Z1", 1, "e1"),
        ("2", 2, "e1"),
    ]


def test_it_waits_as_long_as_the_setting_says(desk: Desk) -> None:
    desk.publish(toast())
    assert desk.backplane.waits == [0.25]


def test_receipts_come_in_the_order_of_the_toasts(desk: Desk) -> None:
    desk.inbox.held["twice"] = "first"
    receipts = desk.publish(
        toast(id="a"), toast(id="b", dedupe_key="twice"), toast(id="c"), toast(id="d")
    )
    assert [(each.id, each.status) for each in receipts] == [
        ("a", "delivered"),
        ("first", "duplicate"),
        ("c", "delivered"),
        ("d", "delivered"),
    ]


def test_A28_a_duplicate_is_not_told_and_has_the_first_ones_id(desk: Desk) -> None:
    desk.inbox.held["order-1"] = "first"
    assert desk.publish(toast(dedupe_key="order-1")) == [Receipt.duplicate("first")]
    assert desk.backplane.told == []
    assert desk.inbox.changes == []


def test_a_retry_that_takes_over_an_undelivered_toast_keeps_its_id(desk: Desk) -> None:
    desk.inbox.takes_over["order-1"] = "elder"
    (receipt,) = desk.publish(toast(dedupe_key="order-1"))
    assert receipt.id == desk.backplane.told[0].id == desk.inbox.changes[0].id == "elder"


def test_a_process_that_serves_nobody_stores_and_queues() -> None:
    desk = Desk(serving=False)
    assert desk.publish(toast()) == [Receipt.queued("01HXY7Z1")]
    assert len(desk.inbox.stored) == 1
    assert desk.backplane.told == []
    assert desk.inbox.changes == []
    assert desk.inbox.due_after == [0], "a process that serves is to find it at once"


def test_a_process_that_serves_is_given_time_to_decide(desk: Desk) -> None:
    desk.publish(toast())
    assert desk.inbox.due_after == [2000]


def test_what_a_transaction_left_is_told_when_it_is_relayed(desk: Desk) -> None:
    desk.inbox.outbox = [toast(id="a", seq=None), toast(id="b", seq=None), toast(id="c", seq=None)]
    desk.publisher.relay(["a", "c"])
    assert [(event.id, event.seq) for event in desk.backplane.told] == [("a", 1), ("c", 2)]
    assert desk.inbox.changes == [], "whoever committed does not wait for the answers"
    desk.world.runtime.run_job()
    assert [change.state for change in desk.inbox.changes] == ["written", "written"]


def test_a_process_that_serves_nobody_relays_and_leaves_the_rest() -> None:
    desk = Desk(serving=False)
    desk.inbox.outbox = [toast(id="a", seq=None)]
    desk.publisher.relay()
    assert [event.id for event in desk.inbox.stored] == ["a"]
    assert (desk.backplane.told, desk.inbox.due_after) == ([], [0])


def test_a_relayed_duplicate_is_not_told(desk: Desk) -> None:
    desk.inbox.held["k"] = "first"
    desk.inbox.outbox = [toast(id="a", dedupe_key="k")]
    desk.publisher.relay()
    desk.world.runtime.run_job()
    assert desk.backplane.told == []


def test_a_silent_worker_leaves_it_queued(desk: Desk) -> None:
    desk.backplane.says = Confirmation()
    assert desk.publish(toast()) == [Receipt.queued("01HXY7Z1")]
    assert desk.inbox.changes == []


def test_it_tells_while_the_inbox_answers_and_before_it_waits(desk: Desk) -> None:
    accept, order = desk.inbox.accept, []

    def watch(events: Any, due_ms: int, then: Any) -> Any:
        accepted = accept(events, due_ms, then)
        order.append(([event.id for event in desk.backplane.told], list(desk.backplane.waits)))
        return accepted

    desk.inbox.accept = watch  # type: ignore[method-assign]
    desk.publish(toast())
    assert order == [(["01HXY7Z1"], [])]


def test_what_was_stored_but_never_told_is_queued(desk: Desk) -> None:
    accept = desk.inbox.accept

    def untold(events: Any, due_ms: int, then: Any) -> Any:
        return accept(events, due_ms)

    desk.inbox.accept = untold  # type: ignore[method-assign]
    assert desk.publish(toast()) == [Receipt.queued("01HXY7Z1")]
    assert desk.inbox.changes == []


def test_nobody_there_is_undelivered(desk: Desk) -> None:
    desk.backplane.says = Confirmation(complete=True)
    assert desk.publish(toast()) == [Receipt.undelivered("01HXY7Z1", "no_session")]


def test_in_front_of_the_app_but_not_subscribed(desk: Desk) -> None:
    desk.backplane.says = Confirmation(0, 1, complete=True)
    assert desk.publish(toast()) == [Receipt.undelivered("01HXY7Z1", "not_subscribed")]


def test_storage_that_fails_tells_nobody(desk: Desk) -> None:
    desk.inbox.broken = True
    with pytest.raises(StorageUnavailable):
        desk.publish(toast())
    assert desk.backplane.told == []
    assert desk.inbox.changes == []


def test_A30_ttl_0_is_now_and_now_begins_when_it_is_stored(desk: Desk) -> None:
    event = toast(expires_at=toast().created_at)
    desk.world.clock.advance(3)
    assert desk.publish(event) == [Receipt.shown("01HXY7Z1", 1)]
    assert desk.backplane.told[0].expires_at == desk.world.clock.now() + 250


def test_A30_any_other_time_to_live_is_told_as_it_is(desk: Desk) -> None:
    desk.publish(toast(expires_at=toast().created_at + 1))
    assert desk.backplane.told[0].expires_at == toast().created_at + 1


def test_nothing_to_publish_is_no_trouble(desk: Desk) -> None:
    assert desk.publish() == []


def test_A27_a_control_is_told_and_not_stored(desk: Desk) -> None:
    desk.publisher.publish_control(control("usage.changed", route="user:u1"))
    assert [event.name for event in desk.backplane.told] == ["usage.changed"]
    assert desk.backplane.waits == []
    assert desk.inbox.stored == desk.inbox.changes == []


def test_A27_a_process_that_serves_nobody_cannot_send_controls() -> None:
    desk = Desk(serving=False)
    with pytest.raises(NotServing, match="inside the web process"):
        desk.publisher.publish_control(control())
    assert desk.backplane.told == []


@pytest.fixture
def elsewhere() -> Desk:
    """Return a desk that serves nobody, with a backplane that reaches those who do."""
    desk = Desk(serving=False)
    desk.backplane.shared = True
    return desk


def test_A26_what_reaches_other_processes_decides_by_itself(elsewhere: Desk) -> None:
    assert elsewhere.publish(toast()) == [Receipt.shown("01HXY7Z1", 1)]
    assert elsewhere.inbox.due_after == [2000]


def test_A26_what_reaches_other_processes_relays_for_them(elsewhere: Desk) -> None:
    elsewhere.inbox.outbox = [toast()]
    assert elsewhere.publisher.relay() == 1
    assert [event.id for event in elsewhere.backplane.told] == ["01HXY7Z1"]


def test_A27_what_reaches_other_processes_sends_controls(elsewhere: Desk) -> None:
    elsewhere.publisher.publish_control(control("usage.changed", route="user:u1"))
    assert [event.name for event in elsewhere.backplane.told] == ["usage.changed"]
    assert elsewhere.backplane.waits == [2.0], "who ends at once has told nobody"


def test_A27_a_control_that_reaches_nobody_is_told_to_its_publisher(elsewhere: Desk) -> None:
    elsewhere.backplane.trouble = "redis://r:6379: connection refused"
    with pytest.raises(BackplaneUnavailable, match="connection refused"):
        elsewhere.publisher.publish_control(control())


def test_A27_a_worker_sends_controls_to_its_own_clients_whatever_is_away(desk: Desk) -> None:
    desk.backplane.shared, desk.backplane.trouble = True, "away"
    desk.publisher.publish_control(control())
    assert len(desk.backplane.told) == 1


NOBODY = Confirmation(complete=True)


def test_A26_a_toast_nobody_was_there_for_is_pushed() -> None:
    desk = Desk(True, "apns")
    desk.backplane.says = NOBODY
    desk.phones.answer("01HXY7Z1", Sent())
    assert desk.publish(toast()) == [Receipt.pushed("01HXY7Z1", "apns")]
    assert [(owing.toast_id, owing.seq) for owing in desk.phones.owed.owings] == [("01HXY7Z1", 1)]
    assert desk.inbox.changes == [], "its state goes with what is owed"


@pytest.mark.parametrize(
    ("says", "given", "reason"),
    [
        (Confirmation(1, 1, complete=True), {}, None),
        (Confirmation(0, 1, complete=True), {}, "not_subscribed"),
        (NOBODY, {"fallback": False}, "fallback_disabled"),
    ],
)
def test_A26_no_phone_rings_for_who_is_there_or_where_it_is_not_wanted(
    says: Confirmation, given: dict[str, Any], reason: str | None
) -> None:
    desk = Desk(True, "apns")
    desk.backplane.says = says
    [receipt] = desk.publish(toast(**given))
    assert (receipt.reason, desk.phones.owed.owings) == (reason, [])


def test_who_is_there_costs_the_fallback_nothing() -> None:
    desk = Desk(True, "apns")
    desk.phones.fallback.owe = Mock(return_value={})  # type: ignore[method-assign]
    desk.publish(toast(id="a"), toast(id="b"))
    assert [call.args[0] for call in desk.phones.fallback.owe.call_args_list] == [[]]


def test_a_push_is_waited_for_as_long_as_the_answers_leave() -> None:
    desk = Desk(True, "apns")
    desk.backplane.says = NOBODY
    notice, carrier = Mock(), desk.phones.carrier
    notice.wait.return_value = []
    assert carrier is not None
    carrier.board.expect = lambda *_: nullcontext(notice)  # type: ignore[method-assign]
    now = desk.world.clock.monotonic()
    assert desk.publish(toast()) == [Receipt.owed("01HXY7Z1", "apns")]
    notice.wait.assert_called_once_with(1, now + 0.25)


def test_of_many_those_that_are_owed_leave_the_others_as_they_are() -> None:
    desk = Desk(True, "apns")
    desk.backplane.says = NOBODY
    for id, seq in (("a", 1), ("c", 3)):
        desk.phones.answer(id, Sent(), seq=seq)
    receipts = desk.publish(toast(id="a"), toast(id="b", fallback=False), toast(id="c"))
    assert [(each.status, each.transport) for each in receipts] == [
        ("queued", "apns"),
        ("undelivered", "none"),
        ("queued", "apns"),
    ]
    assert [change.id for change in desk.inbox.changes] == ["b"]


def test_of_several_not_even_one_push_is_waited_for() -> None:
    desk = Desk(True, "apns")
    desk.backplane.says = NOBODY
    desk.phones.answer("a", Sent())
    receipts = desk.publish(toast(id="a"), toast(id="b", fallback=False))
    assert receipts[0] == Receipt.owed("a", "apns")


def test_what_a_transaction_left_waits_for_no_push() -> None:
    desk = Desk(True, "apns")
    desk.backplane.says = NOBODY
    desk.inbox.outbox = [toast(id="a", seq=None)]
    assert desk.phones.carrier is not None
    desk.phones.carrier.board.expect = Mock(side_effect=AssertionError)  # type: ignore[method-assign]
    desk.publisher.relay(["a"])
    desk.world.runtime.run_job()
    assert [owing.toast_id for owing in desk.phones.owed.owings] == ["a"]
