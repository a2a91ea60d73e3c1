"""Ids and tokens are fresh, and what is stored of a token does not tell it."""

import uuid
from typing import Any

import pytest
from ulid import ULID

from toastkit import ids
from toastkit.clock import iso

UUID = "0d9b1c9e-1c5f-4c39-9a41-5a3a1f6b7c11"


def test_A20_a_toasts_id_is_a_ulid() -> None:
    assert str(ULID.from_str(ids.toast_id(1)))


def test_a_toasts_id_says_when_it_was_made() -> None:
    assert ids.made_at(ids.toast_id(1_767_225_600_123)) == 1_767_225_600_123


NO_IDS = [
    "",
    "x",
    "8" + "Z" * 25,
    "7" + "Z" * 25,
    "76EZ91ZPZZ" + "Z" * 15 + "a",
    "76EZ91ZQ00" + "0" * 16,
    "0" * 25,
    "0" * 27,
    "0" * 25 + "U",
    "0" * 25 + "\u0661",
    "0" * 25 + "\n",
]


@pytest.mark.parametrize("text", [*NO_IDS, None, 7])
def test_what_is_no_toast_id_is_recognised(text: Any) -> None:
    assert not ids.is_toast_id(text)
    assert ids.is_toast_id(ids.toast_id(1_767_225_600_123))


@pytest.mark.parametrize("text", [*NO_IDS, "0" * 25 + "\ud800"])
def test_what_is_no_toast_id_was_never_made(text: str) -> None:
    assert ids.made_at(text) is None


def test_the_last_id_is_of_the_year_9999() -> None:
    assert ids.is_toast_id("76EZ91ZPZZ" + "Z" * 16)
    assert iso(ids.made_at("76EZ91ZPZZ" + "Z" * 16) or 0) == "9999-12-31T23:59:59+00:00"


def test_A22_a_connections_id_is_a_uuid() -> None:
    made = ids.connection_id()
    assert str(uuid.UUID(made)) == made


@pytest.mark.parametrize("make", [lambda: ids.toast_id(1), ids.connection_id, ids.token, ids.epoch])
def test_each_is_fresh(make: object) -> None:
    assert callable(make)
    assert len({make() for _ in range(100)}) == 100


def test_A7_a_token_has_256_bits_and_its_prefix() -> None:
    assert ids.token("ms_sess_").startswith("ms_sess_")
    assert len(ids.token()) == 43


def test_what_is_stored_of_a_token_is_its_sha_256() -> None:
    assert ids.token_hash("abc").startswith("ba7816bf8f01cfea")


def test_any_text_can_be_hashed() -> None:
    assert len({ids.token_hash(text) for text in ("", "\ud800", "é", "\x00")}) == 4


def test_A3_a_default_device_is_stable() -> None:
    assert ids.default_device_id("u1") == "clerk:u1" == ids.default_device_id("u1")


def test_A3_an_anonymous_default_does_not_tell_who_it_is() -> None:
    made = ids.default_device_id(f"anon:{UUID}")
    assert made == ids.default_device_id(f"anon:{UUID}")
    assert made.startswith("anon:")
    assert len(made) == len("anon:") + 16
    assert UUID[:8] not in made


@pytest.mark.parametrize("at", [0, 1, 1_767_225_600_123])
def test_ids_begin_with_the_time_they_were_made(at: int) -> None:
    assert ids.first_at(at) <= ids.toast_id(at) < ids.first_at(at + 1)
