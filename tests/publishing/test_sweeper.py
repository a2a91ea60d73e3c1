"""What nobody has decided is found, told and decided, again and again until it is."""

from typing import Any
from unittest.mock import Mock

import pytest

from tests.fakes import toast
from tests.publishing.test_publisher import Desk
from tests.publishing.test_rounds import go_round
from toastkit.backplane.contract import Confirmation
from toastkit.errors import StorageUnavailable
from toastkit.publishing.sweeper import BATCH, Sweeper, SweeperParts

NOBODY = Confirmation(complete=True)


class Broom:
    """Hold a sweeper with a publisher and all they lean on."""

    def __init__(self, *kinds: str, **settings: Any) -> None:
        self.desk = Desk(True, *kinds, **settings)
        self.inbox, self.told = self.desk.inbox, self.desk.backplane.told
        self.pruned = 0
        self.left = 0
        self.batch_seconds = 0.0
        world = self.world = self.desk.world
        self.sweeper = Sweeper(
            SweeperParts(
                world.config,
                world.clock,
                world.runtime,
                self.inbox,
                self.desk.publisher,
                self.desk.phones.fallback,
                self._prune,
            )
        )

    def _prune(self) -> bool:
        self.pruned += 1
        self.left -= 1
        self.world.clock.advance(self.batch_seconds)
        return self.left > 0

    def states(self) -> list[tuple[str, str]]:
        return [(change.id, change.state) for change in self.inbox.changes]


@pytest.fixture
def broom() -> Broom:
    return Broom()


def test_what_is_due_is_told_and_decided(broom: Broom) -> None:
    broom.inbox.due = [toast(id="a", seq=7)]
    broom.sweeper.sweep()
    assert [(event.id, event.seq, event.replayed) for event in broom.told] == [("a", 7, False)]
    assert broom.states() == [("a", "written")]
    assert broom.inbox.leases[0] == 10_000


def test_toasts_are_told_in_the_order_of_their_positions(broom: Broom) -> None:
    broom.inbox.due = [toast(id="b", seq=8), toast(id="a", seq=7)]
    broom.sweeper.sweep()
    assert [event.id for event in broom.told] == ["a", "b"]


def test_A30_what_expired_meanwhile_is_not_told(broom: Broom) -> None:
    made = broom.world.clock.now()
    broom.inbox.due = [toast(id="late", expires_at=made), toast(id="good", expires_at=made + 1)]
    broom.sweeper.sweep()
    assert [event.id for event in broom.told] == ["good"]
    assert broom.states() == [("late", "expired"), ("good", "written")]
    assert broom.inbox.changes[0].reason == "expired"


def test_deciding_never_ends_in_accepted_when_every_worker_answers(broom: Broom) -> None:
    broom.desk.backplane.says = NOBODY
    broom.inbox.due = [toast(id="a")]
    broom.sweeper.sweep()
    assert broom.states() == [("a", "undelivered")]


def test_a_worker_that_does_not_answer_leaves_it_for_another_look(broom: Broom) -> None:
    broom.desk.backplane.says = Confirmation()
    broom.inbox.due = [toast(id="a")]
    broom.sweeper.sweep()
    assert broom.states() == []


def test_a_lot_is_taken_in_batches(broom: Broom) -> None:
    broom.inbox.due = [toast(id=str(number), seq=number) for number in range(BATCH * 2 + 1)]
    broom.sweeper.sweep()
    assert len(broom.told) == BATCH * 2 + 1
    assert len(broom.inbox.leases) == 3


def test_what_waits_in_the_outbox_is_published(broom: Broom) -> None:
    broom.inbox.outbox = [toast(id="a", seq=None), toast(id="b", seq=None)]
    broom.sweeper.sweep()
    broom.world.runtime.run_job()
    assert [event.id for event in broom.told] == ["a", "b"]
    assert broom.states() == [("a", "written"), ("b", "written")]


def test_a_lot_that_waits_in_the_outbox_is_not_left_to_many_looks(broom: Broom) -> None:
    toasts = [toast(id=str(number), seq=None) for number in range(BATCH * 2 + 1)]
    relay = broom.inbox.relay

    def some(ids: Any, due_ms: int, then: Any = None) -> Any:
        broom.inbox.outbox = toasts[:BATCH]
        del toasts[:BATCH]
        return relay(ids, due_ms, then)

    broom.inbox.relay = some  # type: ignore[method-assign]
    broom.sweeper.sweep()
    assert len(broom.told) == BATCH * 2 + 1


@pytest.mark.parametrize(("timeout", "taken"), [(0, False), (5000, True)])
def test_A_18_overdue_acks_are_taken_only_where_they_are_waited_for(
    timeout: int, taken: bool
) -> None:
    broom = Broom(ack_timeout_ms=timeout)
    broom.inbox.unacked = [toast(id=str(number)) for number in range(BATCH + 1)]
    broom.sweeper.sweep()
    assert (broom.inbox.unacked == []) is taken


def test_A_18_a_fallback_is_owed_where_an_ack_is_overdue() -> None:
    broom = Broom("apns", ack_timeout_ms=5000, reconnect_ms=0)
    broom.inbox.unacked = [toast(id="a", seq=7)]
    broom.sweeper.sweep()
    [owing] = broom.desk.phones.owed.owings
    assert (owing.toast_id, owing.seq, owing.gated) == ("a", 7, True)
    assert broom.states() == []


def test_no_phone_rings_while_clients_are_on_their_way_back() -> None:
    broom = Broom("apns", ack_timeout_ms=1)
    broom.desk.backplane.says = NOBODY
    broom.inbox.due, broom.inbox.unacked = [toast(id="a")], [toast(id="b")]
    broom.world.clock.advance(2.9)
    broom.sweeper.sweep()
    assert broom.desk.phones.owed.owings == []
    broom.world.clock.advance(0.1)
    broom.sweeper.sweep()
    assert [owing.toast_id for owing in broom.desk.phones.owed.owings] == ["a", "b"]


def test_what_is_not_kept_any_longer_is_pruned_batch_by_batch_now_and_then(broom: Broom) -> None:
    broom.left = 3
    broom.sweeper.sweep()
    assert broom.pruned == 0
    broom.world.clock.advance(3600)
    broom.sweeper.sweep()
    broom.sweeper.sweep()
    assert broom.pruned == 3


def test_what_is_due_does_not_wait_until_all_is_pruned(broom: Broom) -> None:
    broom.left, broom.batch_seconds = 5, 0.2
    broom.world.clock.advance(3600)
    broom.sweeper.sweep()
    assert broom.pruned == 3
    broom.inbox.due = [toast(id="a")]
    broom.sweeper.sweep()
    assert broom.pruned == 5
    assert broom.states() == [("a", "written")]
    broom.sweeper.sweep()
    assert broom.pruned == 5


def test_pruning_that_fails_is_tried_the_next_time(broom: Broom) -> None:
    broom.world.clock.advance(3600)
    tried = broom.sweeper._prune = Mock(side_effect=StorageUnavailable("the disk is full"))
    with pytest.raises(StorageUnavailable):
        broom.sweeper.sweep()
    broom.sweeper.sweep()
    assert tried.call_count == 1


def test_it_looks_twice_a_second_until_it_is_stopped(broom: Broom) -> None:
    broom.sweeper.start()
    broom.inbox.due = [toast(id="a")]
    waits = go_round(broom.sweeper, broom.world.runtime, 2)
    assert waits == [0.5] * 3
    assert broom.states() == [("a", "written")]
    broom.sweeper.stop(1)
