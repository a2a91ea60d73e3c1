from __future__ import annotations

import threading

from toastkit.backplane.memorypresence import GONE_SECONDS, MemoryPresence
from toastkit.backplane.presence import LEASE_MS, Member, Stay
from toastkit.testing import ManualClock


def stay(connection: str) -> Stay:
    return Stay(route="room", connection=connection, member=Member("ada"))


def test_a_lease_that_is_renewed_every_third_never_runs_out() -> None:
    clock = ManualClock()
    presence = MemoryPresence(clock)
    presence.enter(stay("one"))
    for _ in range(10):
        clock.advance(LEASE_MS / 3000)
        presence.renew([stay("one")])
        assert presence.reap() == ()
    clock.advance(LEASE_MS / 1000)
    assert len(presence.reap()) == 1


def test_nothing_is_kept_of_those_who_have_gone() -> None:
    clock = ManualClock()
    presence = MemoryPresence(clock)
    presence.enter(stay("one"))
    presence.leave(stay("one"))
    assert presence._rooms == {}
    presence.enter(stay("two"))
    clock.advance(LEASE_MS / 1000)
    presence.reap()
    clock.advance(GONE_SECONDS)
    presence.reap()
    assert presence._rooms == {}


def test_one_call_at_a_time() -> None:
    presence = MemoryPresence(ManualClock())
    calls = [
        lambda: presence.enter(stay("one")),
        lambda: presence.renew([stay("two")]),
        lambda: presence.leave(stay("one")),
        lambda: presence.members("room"),
        presence.reap,
    ]
    for call in calls:
        with presence._lock:
            thread = threading.Thread(target=call)
            thread.start()
            thread.join(0.02)
            assert thread.is_alive()
        thread.join(30)


def test_it_reaps_at_most_so_many_routes() -> None:
    clock = ManualClock()
    presence = MemoryPresence(clock)
    for route in ("one", "two", "three"):
        presence.enter(Stay(route=route, connection="c", member=Member("ada")))
    clock.advance(LEASE_MS / 1000)
    assert [len(presence.reap(2)) for _ in range(3)] == [2, 1, 0]


def test_who_has_come_again_was_not_reaped() -> None:
    clock = ManualClock()
    presence = MemoryPresence(clock)
    presence.enter(stay("one"))
    clock.advance(LEASE_MS / 1000)
    presence.reap()
    presence.enter(stay("one"))
    presence._rooms["room"].leases.clear()  # lost, and nobody was told
    assert presence.renew([stay("one")]).lost == {"room"}
