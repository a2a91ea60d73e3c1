import pytest

from tests.chaos.history import Answered, History, Wished
from tests.chaos.publishers import InTurn, Publisher, Wishes

pytestmark = pytest.mark.plain


class Road:
    """Answer attempts as a list says; then accept them."""

    def __init__(self, *outcomes):
        self.outcomes, self.given = list(outcomes), []

    def __call__(self, **given):
        self.given.append(given)
        outcome = self.outcomes.pop(0) if self.outcomes else "ok"
        return outcome, "id" if outcome == "ok" else None, outcome


def outcomes(road, wishes):
    history = History()
    Publisher(road, history, wishes, 0).publish_next()
    assert len(history.of(Wished)) == 1
    return [event.outcome for event in history.of(Answered)]


def test_what_has_a_key_is_published_until_it_is_accepted():
    road = Road("fail", "unknown")
    assert outcomes(road, InTurn(["ada"], "s")) == ["fail", "unknown", "ok"]
    assert len({given["dedupe_key"] for given in road.given}) == 1


def test_what_has_no_key_is_published_once():
    class Once(InTurn):
        def next(self):
            return (*super().next()[:3], {})

    assert outcomes(Road("unknown"), Once(["ada"], "s")) == ["unknown"]


def test_no_two_wishes_have_one_title_and_a_seed_decides_them():
    first, second, other = (Wishes(["ada", "bob"], seed) for seed in ("1", "1", "2"))
    wished = [first.next() for _ in range(200)]
    assert wished == [second.next() for _ in range(200)]
    titles = {title for _, title, _, _ in wished} | {other.next()[1] for _ in range(200)}
    assert len(titles) == 400
    assert {key for *_, given in wished for key in given} == {
        "dedupe_key",
        "collapse_key",
        "ttl_ms",
    }


def test_each_has_a_turn():
    wishes = InTurn(["ada", "bob"], "s")
    assert [wishes.next()[0] for _ in range(4)] == ["bob", "ada", "bob", "ada"]


def test_who_gives_up_says_so_in_the_end():
    def nowhere(**given):
        raise LookupError("no road")

    publisher = Publisher(nowhere, History(), InTurn(["ada"], "s"), 0)
    publisher.start()
    publisher.join()
    with pytest.raises(LookupError):
        publisher.leave()
