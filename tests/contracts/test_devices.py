"""Devices: whose each is, how many there are, and what pushes teach about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from toastkit.deliveries import Delivery, Gone, Outcome, Refusal, Sent
from toastkit.records import Device
from toastkit.storage import Storage
from toastkit.testing import ManualClock

LEASE_MS = 10_000
HOUR = 3600

Try = Callable[..., Device]


def device(user_id: str, device_id: str = "phone", **given: Any) -> Device:
    return Device(user_id=user_id, device_id=device_id, bundle_id="app", **given)


def register(storage: Storage, fresh: Device, most: int = 20) -> None:
    storage.devices.register(fresh, most)


def ids(storage: Storage, user_id: str = "ada") -> list[str]:
    return [each.device_id for each in storage.devices.of(user_id)]


# Whose they are


def test_A11_registering_again_refreshes_a_device(storage: Storage) -> None:
    register(storage, device("ada", push_token="aa"))
    register(storage, device("ada", push_token="bb", registered_at=9))
    assert storage.devices.of("ada") == [device("ada", push_token="bb", registered_at=9)]


def test_A27_a_push_token_moves_to_the_user_who_registered_it_last(storage: Storage) -> None:
    register(storage, device("ada", "hers", push_token="aa"))
    register(storage, device("ada", "pad"))
    register(storage, device("bob", "his", push_token="aa"))
    assert storage.devices.of("ada") == [device("ada", "pad")]
    assert storage.devices.of("bob") == [device("bob", "his", push_token="aa")]


def test_A27_a_device_moves_to_the_user_who_registered_it_last(storage: Storage) -> None:
    register(storage, device("ada", push_token="aa"))
    register(storage, device("bob"))
    assert storage.devices.of("ada") == []
    assert storage.devices.of("bob") == [device("bob")]


def test_two_processes_that_register_one_push_token_leave_one_owner(
    storage: Storage, both: Any
) -> None:
    names = iter(["ada", "bob"])

    def compete(storage: Storage) -> None:
        mine = next(names)
        for number in range(25):
            fresh = device(mine, f"{mine}'s", push_token=f"token {number}", registered_at=number)
            register(storage, fresh)
            register(storage, replace(fresh, device_id="shared"))

    both(compete)
    left = [*storage.devices.of("ada"), *storage.devices.of("bob")]
    tokens = [each.push_token for each in left]
    assert len(tokens) == len(set(tokens))
    assert [each.device_id for each in left].count("shared") == 1


def test_of_too_many_devices_those_registered_longest_ago_go(storage: Storage) -> None:
    for number in range(5):
        register(storage, device("ada", f"phone{number}", registered_at=number), 3)
    register(storage, device("bob", "his", registered_at=0), 3)
    assert ids(storage) == ["phone2", "phone3", "phone4"]
    register(storage, device("ada", "phone2", registered_at=9), 3)
    register(storage, device("ada", "phone5", registered_at=10), 3)
    assert ids(storage) == ["phone2", "phone4", "phone5"]
    assert ids(storage, "bob") == ["his"]


def test_the_newest_device_stays_whatever_the_clock_says(storage: Storage) -> None:
    for device_id in ("a", "b", "z"):
        register(storage, device("ada", device_id, registered_at=5), 2)
    register(storage, device("ada", "late", registered_at=1), 2)
    assert "late" in ids(storage)
    assert len(ids(storage)) == 2


def test_a_device_is_removed_by_its_user_only(storage: Storage) -> None:
    register(storage, device("ada"))
    assert not storage.devices.remove("bob", "phone")
    assert storage.devices.remove("ada", "phone")
    assert not storage.devices.remove("ada", "phone")
    assert ids(storage) == []


def test_a_removal_whose_commit_is_not_answered_was_one(
    storage: Storage, unanswered: Callable[[], list[Any]]
) -> None:
    register(storage, device("ada"))
    lost = unanswered()
    assert storage.devices.remove("ada", "phone")
    assert lost
    assert ids(storage) == []


# What pushes teach


@pytest.fixture
def attempt(storage: Storage, owe: Any, settle: Any, clock: ManualClock) -> Try:
    """Push to a device of ada's; return what is known about it then."""

    def attempt(outcome: Outcome, device_id: str = "phone", meanwhile: Any = None) -> Device:
        owe()
        found: list[Delivery] = []
        for each in storage.deliveries.claim({"apns": 64}, LEASE_MS):
            if each.target == device_id:
                found.append(each)
            else:
                settle(each, Refusal("never mind"))
        if meanwhile is not None:
            meanwhile()
        [delivery] = found
        settle(delivery, outcome)
        [known] = [each for each in storage.devices.of("ada") if each.device_id == device_id]
        return known

    return attempt


def test_a_push_that_is_taken_is_noted_once_an_hour(
    attempt: Try, phone: Any, clock: ManualClock
) -> None:
    phone()
    first = clock.now()
    assert attempt(Sent()).taken_at == first
    clock.advance(HOUR - 1)
    assert attempt(Sent()).taken_at == first
    clock.advance(1)
    assert attempt(Sent()).taken_at == clock.now()


def test_A29_where_a_push_was_taken_is_remembered(
    attempt: Try, phone: Any, clock: ManualClock
) -> None:
    phone()
    assert attempt(Sent(), "phone").environment == "production"
    assert attempt(Sent("", "sandbox"), "phone").environment == "sandbox"
    assert attempt(Sent(), "phone").environment == "sandbox"


def test_A29_a_push_token_that_is_gone_is_forgotten(attempt: Try, phone: Any) -> None:
    known = phone()
    assert attempt(Gone("410")) == replace(known, push_token=None)


def test_A29_a_push_token_registered_since_stays(
    attempt: Try, phone: Any, clock: ManualClock
) -> None:
    known = phone()
    assert attempt(Gone("410", since=clock.now() - 1)) == known
    assert attempt(Gone("410", since=clock.now())).push_token is None


@pytest.mark.parametrize("outcome", [Gone("410"), Refusal("400", suspect=True), Sent()])
def test_what_is_told_of_an_old_push_token_says_nothing_about_the_new(
    attempt: Try, phone: Any, outcome: Outcome
) -> None:
    phone()
    fresh = replace(phone(), push_token="fresh")
    assert attempt(outcome, meanwhile=lambda: phone(push_token="fresh")) == fresh


def test_A29_refused_tokens_are_forgotten_only_when_others_are_taken(
    attempt: Try, phone: Any, clock: ManualClock
) -> None:
    phone("phone"), phone("tablet"), phone("other app", bundle_id="other")
    phone("other world", environment="sandbox")
    suspect = Refusal("400", suspect=True)
    first = clock.now()
    for number in range(1, 6):  # that of the wrong world has every token refused
        known = attempt(suspect)
        assert (known.push_token, known.refused, known.refused_at) == (
            *("token of phone", number),
            first,
        )
        attempt(Sent(), "other app"), attempt(Sent(), "other world")
        clock.advance(HOUR)
    attempt(Sent(), "tablet")
    known = attempt(suspect)
    assert (known.push_token, known.refused, known.refused_at) == (None, 0, None)


def test_A29_three_refusals_make_a_token_suspect(
    attempt: Try, phone: Any, clock: ManualClock
) -> None:
    phone("phone"), phone("tablet")
    suspect = Refusal("400", suspect=True)
    assert attempt(suspect).refused == 1
    clock.advance(1)
    attempt(Sent(), "tablet")
    assert attempt(suspect).push_token is not None
    assert attempt(suspect).push_token is None


def test_no_token_is_forgotten_because_it_was_taken_itself(
    attempt: Try, phone: Any, clock: ManualClock
) -> None:
    phone(taken_at=clock.now() + HOUR)  # the clock was set back since
    for number in range(1, 5):
        assert attempt(Refusal("400", suspect=True)).refused == number


def test_a_push_that_is_taken_clears_the_suspicion(attempt: Try, phone: Any) -> None:
    phone()
    attempt(Sent())
    assert attempt(Refusal("400", suspect=True)).refused == 1
    assert attempt(Refusal("413")).refused == 1
    known = attempt(Sent())
    assert (known.refused, known.refused_at) == (0, None)


def test_A11_registering_begins_anew(attempt: Try, phone: Any) -> None:
    phone()
    attempt(Sent())
    attempt(Refusal("400", suspect=True))
    known = phone()
    assert (known.taken_at, known.refused, known.refused_at) == (None, 0, None)
    assert attempt(Refusal("413")) == known
