"""Every member's turn comes once per round, however late the clock looks."""

from hypothesis import given
from hypothesis import strategies as st

from toastkit.live.wheel import Wheel


def test_every_member_has_one_turn_per_round() -> None:
    wheel: Wheel[int] = Wheel(5, now=100)
    for member in range(12):
        wheel.add(member)
    turns = [member for now in range(101, 106) for member in wheel.advance(now)]
    assert sorted(turns) == list(range(12))


def test_discarded_members_have_no_turn() -> None:
    wheel: Wheel[int] = Wheel(5, now=0)
    wheel.add(1)
    wheel.discard(1)
    wheel.discard(2)
    assert wheel.advance(99) == []


def test_no_turn_twice_in_the_same_second() -> None:
    wheel: Wheel[int] = Wheel(1, now=0)
    wheel.add(1)
    assert [wheel.advance(1), wheel.advance(1)] == [[1], []]


def test_a_clock_that_stands_still_moves_nothing_back() -> None:
    wheel: Wheel[int] = Wheel(3, now=10)
    assert wheel.advance(9) == []
    assert wheel.now == 10


@given(st.lists(st.integers(0, 40), max_size=20))
def test_a_late_look_gives_each_member_at_most_one_turn(steps: list[int]) -> None:
    wheel: Wheel[int] = Wheel(7, now=0)
    for member in range(7):
        wheel.add(member)
    now = 0
    for step in steps:
        now += step
        turn = wheel.advance(now)
        assert len(turn) == len(set(turn)) == min(step, 7)
