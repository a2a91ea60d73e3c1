"""Each kind has one sender, and what happened is owed to every kind that is of it."""

from __future__ import annotations

from typing import Any

import pytest

from toastkit.deliveries import Delivery, Later, Outcome
from toastkit.errors import ConfigError
from toastkit.publishing.posting import ROOM, Raised, Senders
from toastkit.senders import RecordingSender


@pytest.mark.parametrize("kind", [None, 7, "", "x" * 101, "a\nb", b"mail"])
def test_a_sender_has_a_kind(kind: Any) -> None:
    with pytest.raises(ConfigError, match="it needs a kind"):
        Senders([RecordingSender(kind)])


def test_a_sender_has_a_way_to_post() -> None:
    class Odd:
        kind = "mail"
        post = None

    with pytest.raises(ConfigError, match="it needs a method post"):
        Senders([Odd()])  # type: ignore[list-item]


def test_two_senders_of_one_kind_are_refused_with_the_remedy() -> None:
    with pytest.raises(ConfigError, match=r"'identity\.rebound:other'"):
        Senders([RecordingSender("identity.rebound"), RecordingSender("identity.rebound")])


def test_what_happened_is_owed_to_every_kind_that_is_of_it() -> None:
    kinds = ("identity.rebound", "identity.rebound:crm", "identity.reboundx", "identity", "mail")
    senders = Senders([RecordingSender(kind) for kind in kinds])
    assert tuple(senders.kinds) == kinds
    assert senders.kinds_of("identity.rebound") == kinds[:2]
    assert senders.kinds_of("identity") == ("identity",)
    assert senders.kinds_of("push") == ()


class Mute(Exception):
    """An error that cannot even say what it is."""

    def __str__(self) -> str:
        raise AttributeError("half made")


def test_an_error_that_cannot_be_told_is_one_all_the_same() -> None:
    class Broken:
        kind = "mail"

        def post(self, _delivery: Delivery) -> Outcome:
            raise Mute

    owed = Delivery(id="d", kind="mail", target="", payload={}, created_at=0, expires_at=1)
    assert Senders([Broken()]).post(owed) == Raised("Mute")


@pytest.mark.parametrize("room", [0, -1, 1.5, "8", None, True])
def test_the_room_of_a_sender_is_a_number_of_attempts(room: Any) -> None:
    sender = RecordingSender("mail")
    sender.room = room  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="room is how many attempts"):
        Senders([sender])


def test_a_sender_may_name_its_room() -> None:
    wide = RecordingSender("push")
    wide.room = 64  # type: ignore[attr-defined]
    senders = Senders([wide, RecordingSender("mail")])
    assert (senders.room("push"), senders.room("mail")) == (64, ROOM)


def test_one_sender_that_cannot_be_closed_keeps_none_from_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    closed = []
    broken, other = RecordingSender("broken"), RecordingSender("other")
    broken.close = lambda: 1 / 0  # type: ignore[attr-defined]
    other.close = lambda: closed.append(1)  # type: ignore[attr-defined]
    Senders([broken, RecordingSender("plain"), other]).close()
    assert closed == [1]
    assert "the sender of broken could not be closed" in caplog.text


def test_of_a_sender_that_has_gone_it_is_tried_again_later() -> None:
    senders = Senders([RecordingSender("mail")])
    senders.swap("mail", None)
    delivery = Delivery(id="d", kind="mail", target="", payload={}, created_at=0, expires_at=1)
    assert senders.post(delivery) == Later("its sender has gone")
