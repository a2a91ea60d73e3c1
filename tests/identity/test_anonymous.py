"""Sessions without a sign-in, and whose they become."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from msgspec.structs import asdict, replace

from toastkit import ids
from toastkit.config import Config
from toastkit.errors import AlreadyRebound, Invalid, UserRequired
from toastkit.identity import Anonymous, AnonymousParts, Sessions
from toastkit.records import AnonymousDevice, Move, Rebound
from toastkit.testing import ManualClock

MISSING = "device_id required"
NO_REBIND = "device_id and clerk_user_id required"
LENGTH = "device_id must be 1-200 chars"

NOT_THERE = [None, "", " ", "\t\n", "\u2003"]
WRONG = [
    *(7, 0, 1.5, True, False, [], ["x"], {}, {"a": 1}, b"x", float("nan"), 10**300),
    *(
        "x" * 201,
        "x" * 10_000,
        "\u00e9" * 201,
        "x\0",
        "\0",
        "x\n",
        "\ud800",
        "x\udcff",
        "\x7f",
        "\u200b",
    ),
]
RIGHT = [
    "x",
    "x" * 200,
    "\u00e9" * 200,
    "a b",
    "550e8400-e29b-41d4-a716-446655440000",
    "\U0001f98a",
    "' OR 1=1",
]


class DeviceTable(dict[str, AnonymousDevice]):
    """Keep devices in a dictionary; whatever is rebound had three rows."""

    def __init__(self) -> None:
        super().__init__()
        self.owed: list[Any] = []

    def find(self, device_hash: str) -> AnonymousDevice | None:
        return self.get(device_hash)

    def claim(self, fresh: AnonymousDevice) -> AnonymousDevice:
        found = self.setdefault(fresh.device_hash, fresh)
        if found.secret_hash is None:
            found = replace(found, secret_hash=fresh.secret_hash)
            self[fresh.device_hash] = found
        return found

    def rebind(self, device: AnonymousDevice, user_id: str, at: int, owe: Any) -> Move | None:
        if self[device.device_hash].rebound_to not in (None, user_id):
            return None
        self[device.device_hash] = replace(device, rebound_to=user_id, rebound_at=at)
        self.owed += owe(3)
        rebound = Rebound(rebound=True, rows_updated=3, anon_uuid=device.anon_uuid)
        return Move(rebound=rebound, toasts=2, ended=("h",))


@pytest.fixture
def table() -> DeviceTable:
    return DeviceTable()


@pytest.fixture
def moved() -> list[tuple[str, str, int]]:
    """Whose what became, and how many toasts."""
    return []


@pytest.fixture
def make(table: DeviceTable, sessions: Sessions, clock: ManualClock, moved: Any) -> Any:
    def make(*receivers: str, **settings: Any) -> Anonymous:
        config = Config(**settings)
        told = moved.append
        parts = AnonymousParts(
            table, sessions, config, clock, lambda: receivers, lambda *given: told(given)
        )
        return Anonymous(parts)

    return make


@pytest.fixture
def anonymous(make: Any) -> Anonymous:
    found: Anonymous = make()
    return found


# A device's session


def test_B7_the_same_device_has_the_same_principal_and_each_time_a_new_token(
    anonymous: Anonymous, sessions: Sessions
) -> None:
    made = [anonymous.begin("phone") for _ in range(3)]
    assert len({token for token, _, _ in made}) == 3
    assert {session.kind for _, session, _ in made} == {"anonymous"}
    [user_id] = {session.user_id for _, session, _ in made}
    assert anonymous.begin("tablet")[1].user_id != user_id
    assert {sessions.find(token).user_id for token, _, _ in made} == {user_id}  # the old ones, too


def test_B9_the_principal_is_anon_and_a_random_uuid(anonymous: Anonymous) -> None:
    user_id = anonymous.begin("phone")[1].user_id
    assert user_id.startswith("anon:")
    assert uuid.UUID(user_id.removeprefix("anon:")).version == 4


def test_only_the_hash_of_a_device_id_is_kept(anonymous: Anonymous, table: DeviceTable) -> None:
    anonymous.begin("my phone")
    assert "my phone" not in str([asdict(device) for device in table.values()])
    assert list(table) == [ids.token_hash("my phone")]


@pytest.mark.parametrize("given", NOT_THERE)
def test_B8_a_device_id_that_is_not_there_is_asked_for(anonymous: Anonymous, given: Any) -> None:
    with pytest.raises(Invalid) as told:
        anonymous.begin(given)
    assert (told.value.detail, told.value.loc) == (MISSING, ("device_id",))
    with pytest.raises(Invalid) as told:
        anonymous.rebind("ada", given)
    assert (told.value.detail, told.value.loc) == (NO_REBIND, ("device_id",))


@pytest.mark.parametrize("given", WRONG, ids=lambda given: ascii(given)[:20])
def test_B7_a_device_id_has_1_to_200_characters(anonymous: Anonymous, given: Any) -> None:
    for use in (anonymous.begin, lambda given: anonymous.rebind("ada", given)):
        with pytest.raises(Invalid) as told:
            use(given)
        assert (told.value.detail, told.value.loc) == (LENGTH, ("device_id",))


@pytest.mark.parametrize("given", RIGHT, ids=lambda given: ascii(given)[:20])
def test_whatever_else_a_device_calls_itself_is_taken(anonymous: Anonymous, given: str) -> None:
    anonymous.begin(given)
    assert anonymous.rebind("ada", given).rebound


# Becoming a user's


def test_B11_the_rows_become_the_users_and_everybody_concerned_is_told(
    anonymous: Anonymous, moved: Any, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[Any] = []
    monkeypatch.setattr(sessions, "ended", lambda *given: ended.append(given))
    user_id = anonymous.begin("phone")[1].user_id
    rebound = anonymous.rebind("ada", "phone")
    assert asdict(rebound) == {
        "rebound": True,
        "rows_updated": 3,
        "anon_uuid": user_id.removeprefix("anon:"),
    }
    assert ended == [(user_id, ("h",))]
    assert moved == [(user_id, "ada", 2)]


def test_B12_a_device_that_was_never_here_has_nothing_to_rebind(
    anonymous: Anonymous, table: DeviceTable, moved: Any
) -> None:
    nothing = Rebound(rebound=False, rows_updated=0, anon_uuid=None)
    assert anonymous.rebind("ada", "phone") == nothing
    assert (table, moved) == ({}, [])


@pytest.mark.parametrize("late", [False, True])
def test_B14_another_users_device_is_refused_by_its_own_name(
    late: bool, anonymous: Anonymous, table: DeviceTable, moved: Any, monkeypatch: Any
) -> None:
    anonymous.begin("<phone>")
    before = dict(table)
    anonymous.rebind("ada", "<phone>")
    if late:  # it was nobody's when it was looked at
        monkeypatch.setattr(table, "find", before.get)
    with pytest.raises(AlreadyRebound) as told:
        anonymous.rebind("bob", "<phone>")
    assert told.value.detail == "device <phone> already rebound to a different user"
    assert len(moved) == 1


def test_B13_a_visitor_cannot_be_who_gets_it(anonymous: Anonymous) -> None:
    user_id = anonymous.begin("phone")[1].user_id
    with pytest.raises(UserRequired) as told:
        anonymous.rebind(user_id, "phone")
    assert told.value.detail == (
        "Rebind requires an authenticated user token; got anonymous session"
    )


def test_after_a_rebind_the_principal_is_the_same(anonymous: Anonymous) -> None:
    before = anonymous.begin("phone")[1].user_id
    anonymous.rebind("ada", "phone")
    assert anonymous.begin("phone")[1].user_id == before


def test_B16_each_receiver_is_owed_the_event_without_the_device_id(
    make: Any, table: DeviceTable, clock: ManualClock
) -> None:
    anonymous = make("identity.rebound", "identity.rebound:crm", delivery_seconds=60)
    user_id = anonymous.begin("phone")[1].user_id
    anonymous.rebind("ada", "phone")
    assert [owed.kind for owed in table.owed] == ["identity.rebound", "identity.rebound:crm"]
    assert len({owed.id for owed in table.owed}) == 2
    for owed in table.owed:
        assert owed.payload == {
            "anon_uuid": user_id.removeprefix("anon:"),
            "user_id": "ada",
            "rows_updated": 3,
            "at": clock.now(),
        }
        assert (owed.user_id, owed.expires_at) == ("ada", clock.now() + 60_000)
        assert "phone" not in str(owed)


# A secret of the device's own


def test_without_the_setting_there_is_no_secret(anonymous: Anonymous, table: DeviceTable) -> None:
    assert anonymous.begin("phone", "whatever")[2] is None
    assert [device.secret_hash for device in table.values()] == [None]


def test_the_first_call_gives_a_secret_that_later_ones_must_show(
    make: Any, table: DeviceTable
) -> None:
    anonymous = make(device_secret=True)
    _, first, secret = anonymous.begin("phone")
    assert len(secret) == 43
    assert secret not in str(table)
    assert anonymous.begin("phone", secret)[1].user_id == first.user_id
    assert anonymous.begin("phone", secret)[2] is None
    for wrong, said in (
        (None, "device_secret required"),
        ("", "device_secret required"),
        ("x", "device_secret is wrong"),
        ("\udcff", "device_secret is wrong"),
        (7, "device_secret is wrong"),
        ({}, "device_secret is wrong"),
    ):
        for use in (anonymous.begin, lambda *given: anonymous.rebind("ada", *given)):
            with pytest.raises(Invalid, match=f"^{said}$"):
                use("phone", wrong)
    assert anonymous.rebind("ada", "phone", secret).rebound


def test_a_device_from_before_the_setting_is_given_its_secret_at_its_next_call(make: Any) -> None:
    _, before, _ = make().begin("phone")
    protected = make(device_secret=True)
    assert protected.rebind("ada", "phone").rebound  # it has none to show
    _, after, secret = protected.begin("phone")
    assert after.user_id == before.user_id
    with pytest.raises(Invalid, match="device_secret required"):
        protected.begin("phone")
    assert protected.begin("phone", secret)[2] is None


def test_of_two_first_calls_one_is_given_the_secret(
    make: Any, table: DeviceTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    anonymous = make(device_secret=True)
    monkeypatch.setattr(table, "find", lambda _: None)  # both have looked
    assert anonymous.begin("phone")[2] is not None
    with pytest.raises(Invalid, match="device_secret required"):
        anonymous.begin("phone")


def test_when_the_setting_is_taken_back_no_secret_is_asked_for(make: Any) -> None:
    make(device_secret=True).begin("phone")
    assert make().begin("phone")[2] is None
    assert make().rebind("ada", "phone").rebound
