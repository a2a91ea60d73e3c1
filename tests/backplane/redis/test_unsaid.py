"""Where a toast did not reach the others is remembered, in bounds, until they know."""

from __future__ import annotations

import pytest

from toastkit.backplane.redis import unsaid
from toastkit.backplane.redis.notices import MAX_BYTES, Missed, encode
from toastkit.backplane.redis.pump import Then
from toastkit.backplane.redis.unsaid import Unsaid
from toastkit.errors import BackplaneUnavailable

WORKER = "0123456789abcdef"


class Said(list[Missed]):
    """Remember what is said; ``reply`` is what comes of it."""

    reply: object = 2

    def __call__(self, notice: Missed, then: Then) -> None:
        self.append(notice)
        then(self.reply)

    @property
    def routes(self) -> list[str]:
        return sorted(route for notice in self for route in notice.routes)


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def memory(said: Said) -> Unsaid:
    return Unsaid(WORKER, said)


def test_a_route_is_told_once(memory: Unsaid, said: Said) -> None:
    memory.note("user:u1"), memory.note("user:u1")
    memory.tell(), memory.tell()
    assert said == [Missed(WORKER, ("user:u1",))]


def test_without_any_nothing_is_said(memory: Unsaid, said: Said) -> None:
    memory.tell()
    assert said == []


def test_what_could_not_be_told_is_told_again(memory: Unsaid, said: Said) -> None:
    said.reply = BackplaneUnavailable("away")
    memory.note("user:u1")
    memory.tell()
    said.reply = 2
    memory.tell(), memory.tell()
    assert said == [Missed(WORKER, ("user:u1",))] * 2


def test_many_fit_into_messages_that_are_taken(memory: Unsaid, said: Said) -> None:
    routes = sorted(f"user:{number:0900}" for number in range(1000))
    for route in routes:
        memory.note(route)
    memory.tell()
    assert said.routes == routes
    assert max(len(encode(notice)) for notice in said) <= MAX_BYTES


def test_of_too_many_everything_is_to_be_read(
    memory: Unsaid, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsaid, "MOST", 3)
    for number in range(4):
        memory.note(f"user:{number}")
    memory.tell(), memory.tell()
    assert said == [Missed(WORKER)]


def test_that_everything_is_to_be_read_is_told_again_too(
    memory: Unsaid, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsaid, "MOST", 3)
    for number in range(4):
        memory.note(f"user:{number}")
    said.reply = BackplaneUnavailable("away")
    memory.tell()
    said.reply = 2
    memory.tell()
    assert said == [Missed(WORKER)] * 2
