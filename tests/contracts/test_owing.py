"""What is owed for toasts that nobody was there for, and what becomes of them; on every database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from tests.contracts.pushes import LEASE_MS, LIFE_MS, Settle, claim, decided, ends
from toastkit.deliveries import Later, Owed, Refusal, Sent
from toastkit.ids import toast_id
from toastkit.storage import Storage, claiming, owing
from toastkit.testing import ManualClock

pytestmark = pytest.mark.plain

# Owing


def test_one_push_is_owed_for_each_device_that_can_be_reached(
    storage: Storage, away: Any, phone: Any, row: Any
) -> None:
    phones = [phone("phone"), phone("tablet")]
    phone("watch", push_token=None)
    phone("other", "bob")
    owing = away()
    assert storage.deliveries.owe([owing]) == [Owed(2, 0, "apns")]
    found = row(owing.toast_id)
    assert (found["state"], found["due_at"], found["reason"]) == ("owed", None, None)
    taken = claim(storage)
    assert sorted(each.target for each in taken) == ["phone", "tablet"]
    assert min(taken, key=lambda each: each.target).device == phones[0]
    for each in taken:
        assert (each.toast_id, each.seq, each.user_id) == (owing.toast_id, owing.seq, "ada")
        assert each.payload == owing.payload


def test_of_other_kinds_one_is_owed_when_its_time_has_come(
    storage: Storage, away: Any, phone: Any, push: Any, clock: ManualClock
) -> None:
    phone()
    later = push(kind="email", at=clock.now() + 900_000)
    owing = away(push(), later)
    assert storage.deliveries.owe([owing]) == [Owed(1, 1, "apns")]
    assert [each.kind for each in claim(storage, "apns", "email")] == ["apns"]
    clock.advance(900)
    [mail] = [each for each in claim(storage, "apns", "email") if each.kind == "email"]
    assert (mail.target, mail.user_id, mail.device) == ("", "ada", None)


def test_what_is_owed_stands_in_the_order_of_the_steps(
    storage: Storage, owe: Any, push: Any
) -> None:
    kinds = [f"step{number}" for number in range(10)]
    owing = owe(*(push(kind=kind) for kind in kinds))
    found = storage.inbox.facts(owing.toast_id)
    assert found is not None
    assert [each.kind for each in found.deliveries] == kinds


@pytest.mark.parametrize(("phones", "owed"), [(0, Owed(0, 0)), (1, Owed(1, 0, "apns"))])
def test_whether_it_was_owed_is_found_out_where_nobody_answered(
    storage: Storage, away: Any, phone: Any, phones: int, owed: Owed
) -> None:
    wanted = [away()]
    for _ in range(phones):
        phone()

    def kept() -> bool | None:
        return storage.deliveries._database.read(lambda here: owing.kept(wanted, here, [owed]))

    assert kept() is False
    assert storage.deliveries.owe(wanted) == [owed]
    assert kept() is True


def test_A29_who_has_no_device_is_not_pushed_to(
    storage: Storage, away: Any, row: Any, event: Any
) -> None:
    owing = away(dedupe_key="k")
    assert storage.deliveries.owe([owing]) == [Owed(0, 0)]
    assert decided(row, owing) == ("undelivered", "no_device")
    assert not storage.inbox.accept([event(dedupe_key="k")], due_ms=2000)[0].duplicate


def test_what_was_decided_meanwhile_is_not_owed(
    storage: Storage, away: Any, phone: Any, mark: Any, row: Any
) -> None:
    phone()
    owing, fresh = away(), away()
    mark(owing.toast_id, "written")
    assert storage.deliveries.owe([owing, fresh]) == [None, Owed(1, 0, "apns")]
    assert storage.deliveries.owe([fresh]) == [None]
    assert row(owing.toast_id)["state"] == "written"
    assert len(claim(storage)) == 1


def test_a_retry_that_took_the_place_is_another_toast(
    storage: Storage, away: Any, phone: Any
) -> None:
    phone()
    owing = away()
    assert storage.deliveries.owe([replace(owing, seq=owing.seq + 1)]) == [None]
    assert storage.deliveries.owe([owing]) == [Owed(1, 0, "apns")]


@pytest.mark.parametrize(("met", "state"), [("read", "acked"), ("deleted", "superseded")])
def test_what_its_user_has_met_is_not_owed(
    storage: Storage, away: Any, phone: Any, row: Any, clock: ManualClock, met: Any, state: str
) -> None:
    phone()
    owing = away()
    storage.inbox.set_read("ada", owing.toast_id, met, clock.now())
    assert storage.deliveries.owe([owing]) == [None]
    assert row(owing.toast_id)["state"] == state
    assert claim(storage) == []


def test_a_missing_ack_is_made_up_for_by_a_push(
    storage: Storage, away: Any, phone: Any, mark: Any, row: Any, settle: Settle
) -> None:
    phone()
    owing = away(gated=True)
    assert storage.deliveries.owe([owing]) == [None]  # it is not written yet
    mark(owing.toast_id, "written", due_at=1)
    assert storage.deliveries.owe([owing]) == [Owed(1, 0, "apns")]
    [taken] = claim(storage)
    settle(taken, Refusal("no"))
    assert decided(row, owing) == ("written", None)  # as it was before


def test_a_missing_ack_that_nothing_can_make_up_for_is_not_asked_about_again(
    storage: Storage, away: Any, mark: Any, row: Any
) -> None:
    owing = away(gated=True)
    mark(owing.toast_id, "written", due_at=1)
    assert storage.deliveries.owe([replace(owing, dues=())]) == [Owed(0, 0)]
    found = row(owing.toast_id)
    assert (found["state"], found["due_at"], found["transport"]) == ("written", None, "websocket")


def test_a_missing_ack_of_what_was_replaced_is_made_up_for_by_nothing(
    storage: Storage, away: Any, phone: Any, mark: Any, row: Any, event: Any
) -> None:
    phone()
    owing = away(gated=True, collapse_key="k")
    mark(owing.toast_id, "written", due_at=1)
    [newer] = storage.inbox.accept([event(collapse_key="k")], due_ms=2000)
    mark(newer.id, "written")
    assert storage.deliveries.owe([owing]) == [None]
    assert (row(owing.toast_id)["state"], row(owing.toast_id)["due_at"]) == ("written", None)
    assert claim(storage) == []


# Dropped instead of attempted


@pytest.mark.parametrize(
    ("met", "state", "reason"),
    [("read", "acked", None), ("seen", "acked", None), ("deleted", "superseded", "deleted")],
)
def test_what_its_user_has_met_is_not_attempted(
    storage: Storage,
    owe: Any,
    phone: Any,
    row: Any,
    clock: ManualClock,
    met: Any,
    state: str,
    reason: str | None,
) -> None:
    phone()
    owing = owe()
    storage.inbox.set_read("ada", owing.toast_id, met, clock.now())
    assert claim(storage) == []
    assert ends(storage, owing) == [("dropped", met)]
    assert decided(row, owing) == (state, reason)


def test_what_was_acked_is_not_attempted_but_despite_the_ack(
    storage: Storage, owe: Any, phone: Any, push: Any, mark: Any, clock: ManualClock
) -> None:
    phone()
    owing = owe(push(), push(kind="email", despite_ack=True))
    mark(owing.toast_id, "acked")
    assert [each.kind for each in claim(storage, "apns", "email")] == ["email"]
    assert ends(storage, owing) == [("dropped", "acked"), ("waiting", None)]


def test_what_a_newer_one_has_replaced_is_not_attempted(
    storage: Storage, owe: Any, phone: Any, event: Any, mark: Any
) -> None:
    phone()
    owing = owe(collapse_key="k")
    [newer] = storage.inbox.accept([event(collapse_key="k")], due_ms=2000)
    mark(newer.id, "written")
    assert claim(storage) == []
    assert ends(storage, owing) == [("dropped", "replaced")]


def test_one_phone_has_it_and_the_other_is_spared_what_a_newer_one_has_replaced(
    storage: Storage, owe: Any, phone: Any, event: Any, mark: Any, settle: Settle
) -> None:
    phone("phone"), phone("tablet")
    owing = owe(collapse_key="k")
    one, other = claim(storage)
    settle(one, Sent())
    settle(other, Later("busy"))
    [newer] = storage.inbox.accept([event(collapse_key="k")], due_ms=2000)
    mark(newer.id, "written")
    assert claim(storage) == []
    assert sorted(ends(storage, owing)) == [("dropped", "replaced"), ("sent", "")]


def test_of_one_collapse_key_only_the_newest_that_is_owed_rings(
    storage: Storage, owe: Any, phone: Any, settle: Settle, row: Any, page: Any
) -> None:
    phone("phone"), phone("tablet")
    older = [owe(collapse_key="k") for _ in range(3)]
    other, alone = owe(collapse_key="other"), owe()
    newest = owe(collapse_key="k")
    rings = [newest.toast_id, other.toast_id, alone.toast_id]
    taken = claim(storage)
    assert sorted(str(it.toast_id) for it in taken) == sorted([*rings, *rings])
    for each in older:
        assert ends(storage, each) == [("dropped", "replaced")] * 2
        assert decided(row, each) == ("undelivered", "superseded")
    assert len(page().items) == 6, "it may yet be in vain"
    settle(next(it for it in taken if it.toast_id == newest.toast_id), Sent())
    assert {each.id for each in page().items} == set(rings)
    assert decided(row, older[0]) == ("undelivered", "superseded")


def test_the_newest_is_found_behind_all_that_need_not_ring(
    storage: Storage, owe: Any, phone: Any
) -> None:
    phone()
    *_, newest = [owe(collapse_key="k") for _ in range(9)]
    [taken] = storage.deliveries.claim({"apns": 1}, LEASE_MS)
    assert taken.toast_id == newest.toast_id


def test_while_the_newest_is_tried_again_no_older_one_rings(
    storage: Storage, owe: Any, phone: Any, settle: Settle, clock: ManualClock
) -> None:
    phone()
    late = owe(collapse_key="k")
    [first] = claim(storage)
    owe(collapse_key="k")
    [second] = claim(storage)
    settle(first, Later("busy"))
    assert claim(storage) == []
    assert ends(storage, late) == [("dropped", "replaced")]
    settle(second, Refusal("no"))
    assert claim(storage) == []


@pytest.mark.parametrize("newer", ["over", "deleted", "of another", "later on", "elsewhere"])
def test_a_newer_one_that_does_not_ring_here_stands_for_nothing(
    newer: str, storage: Storage, owe: Any, phone: Any, push: Any, clock: ManualClock
) -> None:
    phone()
    owing = owe(push(), push(kind="email"), collapse_key="k")
    soon = clock.now() + 1000
    if newer == "elsewhere":
        storage.devices.remove("ada", "phone")
        phone("tablet")
        owe(collapse_key="k")
        phone("phone")
    else:
        given = {"over": {"expires_at": soon}, "later on": {"at": soon}}.get(newer, {})
        last = owe(push(**given), collapse_key="k" if newer != "of another" else "other")
        if newer == "deleted":
            storage.inbox.set_read("ada", last.toast_id, "deleted", clock.now())
        clock.advance(1 if newer == "over" else 0)
    rung = [each.toast_id for each in claim(storage, "apns", "email") if each.kind == "apns"]
    assert owing.toast_id in rung


def test_a_newer_one_that_has_failed_stands_for_nothing(
    storage: Storage, owe: Any, phone: Any, push: Any, settle: Settle, clock: ManualClock
) -> None:
    phone()
    older = owe(push(at=clock.now() + 1000), collapse_key="k")
    owe(collapse_key="k")
    [newer] = claim(storage)
    settle(newer, Refusal("no"))
    clock.advance(1)
    assert [each.toast_id for each in claim(storage)] == [older.toast_id]


def test_what_goes_to_no_device_is_each_user_s_and_each_kind_s_own(
    storage: Storage, owe: Any, push: Any
) -> None:
    """Its target is empty, and tells nobody apart."""
    mail, chat = push(kind="mail"), push(kind="chat")
    owe(mail, collapse_key="k")
    rings = [
        owe(*dues, user_id=user_id, collapse_key="k")
        for user_id, dues in (("ada", [mail]), ("ada", [chat]), ("bob", [mail]))
    ]
    taken = claim(storage, "mail", "chat")
    assert {each.toast_id for each in taken} == {each.toast_id for each in rings}


def test_what_was_owed_at_another_position_is_not_attempted(
    storage: Storage, owe: Any, phone: Any, change: Any
) -> None:
    phone()
    owe()
    change(seq=99)
    assert claim(storage) == []
    assert storage.deliveries.recent(1)[0].last_answer == "replaced"


def test_what_has_moved_to_another_user_meanwhile_is_left_for_the_next_look(
    storage: Storage, owe: Any, phone: Any, host: Engine, clock: ManualClock
) -> None:
    phone()
    owe()
    [shown] = storage.deliveries.recent(1)
    seen = claiming.Claim({shown.id: "her former self"}, clock.now(), clock.now() + LEASE_MS)
    with host.begin() as connection:
        assert claiming.claim(connection, [seen]) == [[]]
    assert len(claim(storage)) == 1


def test_A27_a_phone_that_has_changed_hands_does_not_ring(
    storage: Storage, owe: Any, phone: Any, row: Any
) -> None:
    phone()
    owing = owe()
    phone(user_id="bob")
    assert claim(storage) == []
    assert ends(storage, owing) == [("dropped", "no device")]
    assert decided(row, owing) == ("undelivered", "no_device")


def test_a_push_goes_where_the_device_is_registered_by_then(
    storage: Storage, owe: Any, phone: Any
) -> None:
    phone()
    owe()
    fresh = phone(push_token="fresh", environment="sandbox")
    assert [each.device for each in claim(storage)] == [fresh]


# Kept, shown, forgotten


def test_what_is_owed_is_not_lost_in_a_commit_that_is_not_answered(
    storage: Storage, away: Any, phone: Any, unanswered: Callable[[], list[Any]]
) -> None:
    phone()
    known, strange = away(), away(user_id="bob")
    for owings, owed in (([known], Owed(1, 0, "apns")), ([strange], Owed(0, 0))):
        lost = unanswered()
        assert storage.deliveries.owe(owings) == [owed]
        assert lost
    assert len(claim(storage)) == 1


def test_an_attempt_counts_once_in_a_commit_that_is_not_answered(
    storage: Storage, owe: Any, phone: Any, settle: Settle, unanswered: Callable[[], list[Any]]
) -> None:
    phone()
    owe()
    [taken] = claim(storage)
    lost = unanswered()
    settle(taken, Refusal("no", suspect=True))
    assert lost
    assert storage.devices.of("ada")[0].refused == 1


def test_many_are_owed_in_several_commits(storage: Storage, away: Any, phone: Any) -> None:
    phone()
    owings = [away() for _ in range(130)]
    assert storage.deliveries.owe(owings) == [Owed(1, 0, "apns")] * 130
    assert storage.deliveries.waiting() == {"apns": 130}


def test_one_of_two_processes_owes_each(both: Any, away: Any, phone: Any) -> None:
    phone()
    owings = [away() for _ in range(50)]
    one, other = both(lambda storage: [storage.deliveries.owe([each])[0] for each in owings])
    assert all((mine is None) != (theirs is None) for mine, theirs in zip(one, other, strict=True))


def test_who_is_forgotten_is_pushed_to_no_more(
    storage: Storage, owe: Any, phone: Any, settle: Settle
) -> None:
    phone()
    owe(), owe()
    [going, *_] = storage.deliveries.claim({"apns": 1}, LEASE_MS)
    exported = storage.keeping.export("ada")
    assert [len(exported[f"toastkit_{name}"]) for name in ("deliveries", "devices")] == [2, 1]
    storage.keeping.forget("ada")
    settle(going, Sent())
    assert claim(storage) == []
    assert storage.deliveries.recent(10) == []


def test_what_ended_is_pruned_and_what_is_owed_stays(
    storage: Storage, owe: Any, phone: Any, clock: ManualClock, settle: Settle, away: Any
) -> None:
    phone()
    sent = away(id=toast_id(clock.now()))
    storage.deliveries.owe([sent])
    settle(claim(storage)[0], Sent())
    owed = away(id=toast_id(clock.now()))
    storage.deliveries.owe([owed])
    list(storage.keeping.prune(clock.now() + LIFE_MS, 1000))
    assert storage.inbox.facts(sent.toast_id) is None
    assert storage.deliveries.waiting() == {"apns": 1}
    [left] = storage.deliveries.recent(10)
    assert left.toast_id == owed.toast_id
