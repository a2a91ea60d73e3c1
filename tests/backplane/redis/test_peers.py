"""Who is there, who is there and says nothing, and who has gone."""

import pytest

from toastkit.backplane.redis.peers import BEATS, MOST, Crew, Peers

pytestmark = pytest.mark.plain


def ticked(known: Peers | Crew, times: int) -> None:
    for _ in range(times):
        known.tick()


def test_who_beats_is_there() -> None:
    peers = Peers()
    peers.beat("a")
    ticked(peers, BEATS)
    assert (len(peers), list(peers.silent)) == (1, [])


def test_who_misses_more_than_three_beats_is_silent_and_still_there() -> None:
    peers = Peers()
    peers.beat("a")
    peers.beat("b")
    ticked(peers, BEATS)
    peers.beat("b")
    ticked(peers, 1)
    assert (len(peers), list(peers.silent)) == (2, ["a"])


def test_an_answer_ends_the_silence_of_who_is_known() -> None:
    peers = Peers()
    peers.beat("a")
    ticked(peers, BEATS + 1)
    peers.heard("a")
    peers.heard("unknown")
    assert (len(peers), list(peers.silent)) == (1, [])


def test_who_has_gone_is_forgotten() -> None:
    peers = Peers()
    peers.beat("a")
    peers.gone("a")
    peers.gone("a")
    assert len(peers) == 0


def test_who_names_thousands_is_believed_some() -> None:
    peers = Peers()
    for number in range(MOST + 5):
        peers.beat(f"w{number}")
    ticked(peers, BEATS + 1)
    peers.beat("w0")
    assert (len(peers), len(peers.silent)) == (MOST, MOST - 1)


def test_nobody_is_never_all() -> None:
    crew = Crew()
    for _ in range(3):
        assert not crew.all_there(0)
        ticked(crew, BEATS + 1)


def test_more_than_before_are_all() -> None:
    crew = Crew()
    assert [crew.all_there(there) for there in (1, 2, 4, 4)] == [True] * 4


def test_fewer_than_before_are_all_only_after_a_while() -> None:
    crew = Crew()
    crew.all_there(4)
    assert not crew.all_there(1)
    ticked(crew, BEATS)
    assert not crew.all_there(3)
    ticked(crew, 1)
    assert crew.all_there(3)
    assert not crew.all_there(2)


def test_who_comes_back_in_time_is_waited_for_anew_the_next_time() -> None:
    crew = Crew()
    crew.all_there(2)
    assert not crew.all_there(1)
    ticked(crew, BEATS)
    assert crew.all_there(2)
    ticked(crew, 1)
    assert not crew.all_there(1)
