"""What waits for a host's commit, and all that is known of a toast; on every database."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update

from toastkit.errors import Invalid
from toastkit.records import Device, Position
from toastkit.storage import Storage, outbox
from toastkit.storage.tables import outbox as waiting
from toastkit.testing import ManualClock

DUE_MS = 2000


# What waits for a host's commit


def ids(found: Any) -> list[str]:
    return [each.id for each in found]


def test_toasts_of_a_transaction_are_accepted_in_their_order(
    storage: Storage, event: Any, publish: Any, page: Any
) -> None:
    names = publish(event(title="a"), event("bob"), event(title="b"))
    heard: list[Any] = []
    relayed = storage.inbox.relay(list(reversed(names)), DUE_MS, heard.append)
    assert [(each.id, place.seq) for each, place in relayed] == [
        ("toast1", 1),
        ("toast2", 1),
        ("toast3", 2),
    ]
    assert heard == [relayed]
    assert [toast.title for toast in page().items] == ["b", "a"]
    assert storage.inbox.relay(names, DUE_MS) == []


def test_what_was_rolled_back_is_not_there(
    storage: Storage, event: Any, host: Engine, page: Any
) -> None:
    with host.connect() as connection:
        with connection.begin() as outer:
            outbox.add(connection, [event()])
            outer.rollback()
        with connection.begin():
            with connection.begin_nested() as inner:
                outbox.add(connection, [event()])
                inner.rollback()
            outbox.add(connection, [event()])
    assert len(storage.inbox.relay(["toast1", "toast2", "toast3"], DUE_MS)) == 1
    assert ids(page().items) == ["toast3"]


def test_only_what_is_named_is_relayed(storage: Storage, event: Any, publish: Any) -> None:
    publish(event(), event())
    assert [each.id for each, _ in storage.inbox.relay(["toast2"], DUE_MS)] == ["toast2"]
    assert storage.inbox.relay([], DUE_MS) == []


def test_what_a_crash_left_is_relayed_after_a_second_the_oldest_first(
    storage: Storage, event: Any, publish: Any, clock: ManualClock
) -> None:
    publish(*(event() for _ in range(70)))
    clock.advance(0.999)
    publish(event())
    assert storage.inbox.relay(None, DUE_MS) == []
    clock.advance(0.001)
    assert [place.seq for _, place in storage.inbox.relay(None, DUE_MS)] == list(range(1, 65))
    assert len(storage.inbox.relay(None, DUE_MS)) == 6


def test_many_are_relayed_in_commits_of_64(storage: Storage, event: Any, publish: Any) -> None:
    names = publish(*(event() for _ in range(150)))
    told: list[int] = []
    relayed = storage.inbox.relay(names, DUE_MS, lambda some: told.append(len(some)))
    assert [place.seq for _, place in relayed] == list(range(1, 151))
    assert told == [64, 64, 22]


def test_of_two_processes_that_relay_at_once_one_gets_each_toast(
    event: Any, publish: Any, both: Any
) -> None:
    names = publish(*(event() for _ in range(30)))
    answers = both(lambda storage: storage.inbox.relay(names, DUE_MS))
    assert sorted(place.seq for relayed in answers for _, place in relayed) == list(range(1, 31))


def test_what_another_process_relayed_meanwhile_is_not_mistaken_for_the_next(
    storage: Storage, event: Any, publish: Any, monkeypatch: Any
) -> None:
    [first] = publish(event())
    write = storage.inbox._database.write

    def late(work: Any, *given: Any, **named: Any) -> Any:
        monkeypatch.undo()
        storage.inbox.relay([first], DUE_MS)
        publish(event())  # on SQLite its row has the number of the first
        return write(work, *given, **named)

    monkeypatch.setattr(storage.inbox._database, "write", late)
    assert storage.inbox.relay([first], DUE_MS) == []
    assert [each.id for each, _ in storage.inbox.relay(["toast2"], DUE_MS)] == ["toast2"]


def test_a_repeat_in_a_transaction_names_the_first(
    storage: Storage, event: Any, publish: Any
) -> None:
    names = publish(event(dedupe_key="k"), event(dedupe_key="k"))
    (_, first), (_, repeat) = storage.inbox.relay(names, DUE_MS)
    assert not first.duplicate
    assert (repeat.duplicate, repeat.id) == (True, "toast1")


def test_a_relayed_toast_is_due_as_if_it_was_published_now(
    storage: Storage, event: Any, publish: Any, row: Any, clock: ManualClock
) -> None:
    names = publish(event())
    clock.advance(60)
    storage.inbox.relay(names, DUE_MS)
    assert row("toast1")["due_at"] == clock.now() + DUE_MS
    assert row("toast1")["created_at"] == clock.now() - 60_000


@pytest.mark.parametrize("garbage", ["{}", "nonsense", '{"kind": "toast", "id": 7}'])
def test_what_cannot_be_read_stays_and_holds_up_nobody(
    storage: Storage,
    event: Any,
    publish: Any,
    host: Engine,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
    garbage: str,
) -> None:
    publish(*(event() for _ in range(70)))
    with host.begin() as connection:
        broken = update(waiting).where(waiting.c.number <= 65).values(event=garbage)
        connection.execute(broken)
    clock.advance(1)
    found = [each.id for _ in range(3) for each, _ in storage.inbox.relay(None, DUE_MS)]
    assert found == ["toast66", "toast67", "toast68", "toast69", "toast70"]
    assert len(caplog.messages) == 65
    with host.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(waiting)) == 65


def test_what_could_not_be_accepted_later_is_told_at_once(event: Any, host: Engine) -> None:
    with host.begin() as connection:
        for wrong in (event(user_id=None), event(title="\ud800")):
            with pytest.raises(Invalid):
                outbox.add(connection, [event(), wrong])
        assert connection.scalar(select(func.count()).select_from(waiting)) == 0


# All that is known


def test_the_facts_of_a_toast_are_its_row_and_what_is_around_it(
    storage: Storage, accept: Any, event: Any, row: Any
) -> None:
    storage.devices.register(Device(user_id="ada", device_id="phone", bundle_id="app"), 20)
    accepted = accept(event(dedupe_key="k", collapse_key="c"), event())
    facts = storage.inbox.facts("toast1")
    assert facts is not None
    stored = row("toast1")
    derived = {"claimed", "deliveries", "devices", "waiting", "position"}
    for name in set(facts.__struct_fields__) - derived:
        assert getattr(facts, name) == stored[name]
    assert (facts.claimed, facts.devices, facts.waiting) == (True, 1, False)
    assert facts.deliveries == ()
    assert facts.position == Position(2, accepted[0].epoch)


def test_a_released_claim_is_no_longer_held(
    storage: Storage, accept: Any, event: Any, mark: Any
) -> None:
    accept(event(dedupe_key="k"))
    mark("toast1", "undelivered")
    facts = storage.inbox.facts("toast1")
    assert facts is not None
    assert not facts.claimed


def test_facts_know_what_waits_in_the_outbox(
    storage: Storage, event: Any, publish: Any, clock: ManualClock
) -> None:
    publish(event(title="later", collapse_key="c"))
    facts = storage.inbox.facts("toast1")
    assert facts is not None
    assert (facts.waiting, facts.seq, facts.user_id) == (True, 0, "ada")
    assert (facts.title, facts.collapse_key) == ("later", "c")
    assert (facts.state, facts.created_at) == ("accepted", clock.now())


def test_nothing_is_known_of_what_never_was(storage: Storage) -> None:
    assert storage.inbox.facts("nothing") is None
