"""The checker finds what is planted in a history, and nothing in one that is right."""

from dataclasses import dataclass, field

import pytest

from tests.chaos.checker import PROMISES, check
from tests.chaos.history import (
    Answered,
    Broke,
    Greeted,
    History,
    Kept,
    Rang,
    Shown,
    Told,
    Wished,
)

pytestmark = pytest.mark.plain
PHONES = frozenset({"cat"})


@dataclass
class Story:
    """A history in the making: by default everything goes well."""

    events: list = field(default_factory=list)
    at: int = 0

    def add(self, _kind, **given):
        self.at += 10
        self.events.append(_kind(**{"at": self.at} | given))

    def greet(self, page="ada-1", connection=1, seq=0, **given):
        user = page.partition("-")[0]
        self.add(Greeted, page=page, connection=connection, user=user, seq=seq, **given)

    def publish(self, title, user="ada", outcome="ok", id="", **wished):
        self.add(Wished, title=title, user=user, **wished)
        self.answer(title, outcome, id)

    def answer(self, title, outcome="ok", id="", status="delivered"):
        accepted = (id or f"id {title}") if outcome == "ok" else None
        self.add(Answered, title=title, outcome=outcome, id=accepted, status=status)

    def tell(self, title, seq, page="ada-1", connection=1, **given):
        user = page.partition("-")[0]
        named = {"page": page, "user": user, "title": title, "id": f"id {title}"}
        self.add(Told, seq=seq, connection=connection, **named | {"created": self.at} | given)

    def show(self, title, page="ada-1", id="", **given):
        user = page.partition("-")[0]
        self.add(Shown, page=page, user=user, title=title, id=id or f"id {title}", **given)

    def get(self, title, seq, page="ada-1", connection=1, **given):
        self.tell(title, seq, page, connection, **given)
        self.show(title, page)

    def keep(self, *titles, user="ada", id=""):
        for title in titles:
            self.add(Kept, user=user, id=id or f"id {title}", title=title)

    def ring(self, title, user="cat", id=""):
        self.add(Rang, user=user, id=id or f"id {title}", title=title)

    def verdict(self):
        return check(History(self.events), PHONES)

    def found(self):
        return {promise: len(what) for promise, what in self.verdict().broken.items() if what}


@pytest.fixture
def story():
    """Return a history with everything in it that is allowed."""
    story = Story()
    story.greet("ada-1")
    story.greet("ada-2")
    story.publish("a")
    story.get("a", 1)
    story.get("a", 1, page="ada-2")
    story.publish("refused", outcome="fail")
    story.publish("unknown", outcome="unknown")
    story.get("unknown", 2)
    story.publish("retried", outcome="unknown")
    story.answer("retried", id="id retried", status="duplicate")
    story.get("retried", 3)
    story.publish("missed")
    story.publish("late")
    story.get("late", 5, page="ada-2")
    story.greet("ada-1", 2, seq=5, since=3, recovered=True)
    story.get("missed", 4, connection=2, replayed=True)
    story.get("late", 5, connection=2, replayed=True)
    story.tell("a", 1, connection=2)  # nobody had decided it
    for title in ("unknown", "retried", "missed"):
        story.show(title, page="ada-2", by="list")
    story.publish("short", ttl=20)
    story.get("short", 6, connection=2)
    story.publish("older", collapse="k")
    story.publish("newer", collapse="k")
    story.get("newer", 8, connection=2)
    story.get("newer", 8, page="ada-2")
    story.keep("a", "unknown", "retried", "missed", "late", "newer")
    story.publish("pushed", user="cat")
    story.ring("pushed")
    story.ring("pushed")  # the same push once more replaces the first
    story.keep("pushed", user="cat")
    return story


def test_what_is_right_is_not_blamed(story):
    verdict = story.verdict()
    assert story.found() == {}
    assert verdict.clean
    assert verdict.counts["accepted"] == 8
    assert (verdict.counts["refused"], verdict.counts["unknown"]) == (1, 2)
    assert verdict.counts["told again"] == 1


def test_a_toast_that_a_page_was_never_told_is_lost(story):
    story.publish("gone")
    story.get("gone", 9, page="ada-2")
    story.keep("gone")
    assert story.found() == {"lost": 1}


def test_what_lived_shortly_need_not_be_anywhere(story):
    story.publish("now or never", ttl=0)
    story.greet("ada-3")
    assert story.found() == {}


def test_what_has_time_is_lost_although_it_had_not_for_ever(story):
    story.publish("for a while", ttl=1000)
    assert story.found() == {"lost": 3}


def test_a_toast_that_is_not_in_the_list_is_lost(story):
    story.publish("gone")
    story.get("gone", 9, page="ada-2")
    story.get("gone", 9, connection=2)
    assert story.found() == {"lost": 1}


def test_of_a_collapse_key_that_nobody_was_told_all_are_lost(story):
    story.publish("x", collapse="lost")
    story.publish("y", collapse="lost")
    assert story.found() == {"lost": 6}


def test_a_repeat_of_unknown_outcome_that_was_refused_in_the_end_may_be_kept(story):
    story.publish("u", outcome="unknown")
    story.answer("u", "fail")
    story.keep("u")
    assert story.found() == {}


def test_a_page_that_came_later_need_not_know(story):
    story.greet("ada-3", seq=8)
    assert story.found() == {}


def test_a_toast_under_two_ids_is_shown_twice(story):
    story.show("a", id="another")
    assert story.found() == {"shown twice": 1}


def test_an_id_that_is_shown_again_is_shown_twice(story):
    story.show("a")
    assert story.found() == {"shown twice": 1}


def test_a_repeat_that_is_accepted_anew_is_shown_twice(story):
    story.answer("retried", id="another")
    assert story.found() == {"shown twice": 1}


def test_a_list_and_a_phone_with_two_ids_show_twice(story):
    story.keep("pushed", user="cat", id="another")
    story.ring("pushed", id="another")
    assert story.found() == {"shown twice": 2}


@pytest.mark.parametrize("where", ["tell", "show", "keep", "ring"])
def test_a_toast_of_another_user_is_crossed(story, where):
    planted = {
        "tell": lambda: story.tell("pushed", 9, connection=2),
        "show": lambda: story.show("pushed"),
        "keep": lambda: story.keep("pushed"),
        "ring": lambda: story.ring("a"),
    }
    planted[where]()
    assert story.found() == {"crossed": 1}


def test_a_toast_that_nobody_published_is_crossed(story):
    story.show("invented")
    assert story.found() == {"crossed": 1}


def test_an_older_toast_after_a_newer_one_is_out_of_order(story):
    story.publish("next")
    story.get("next", 10, connection=2)
    story.get("next", 9, page="ada-2")
    story.keep("next")
    story.tell("next", 9, connection=2)
    assert story.found() == {"out of order": 1}


def test_the_same_position_again_on_a_connection_is_out_of_order(story):
    story.tell("newer", 8, connection=2)
    assert story.found() == {"out of order": 1}


def test_a_gap_that_is_filled_later_is_in_order(story):
    for seq in (9, 10):
        story.publish(f"gap {seq}")
        story.get(f"gap {seq}", seq, connection=2, replayed=True)
        story.get(f"gap {seq}", seq, page="ada-2")
        story.keep(f"gap {seq}")
    assert story.found() == {}


def test_a_replay_of_what_is_older_than_something_live_is_out_of_order(story):
    story.tell("late", 7, connection=2, replayed=True)
    assert story.found() == {"out of order": 1}


def test_a_replay_that_falls_or_repeats_what_was_known_is_out_of_order(story):
    story.greet("ada-1", 3, seq=8, since=5, recovered=True)
    story.tell("newer", 8, connection=3, replayed=True)
    story.tell("short", 6, connection=3, replayed=True)
    story.greet("ada-1", 4, seq=8, since=5, recovered=True)
    story.tell("late", 5, connection=4, replayed=True)
    assert story.found() == {"out of order": 2}


def test_a_toast_before_the_greeting_is_out_of_order(story):
    story.tell("a", 1, connection=3)
    assert story.found() == {"out of order": 1}


def test_what_was_refused_and_is_there_nevertheless_is_found(story):
    story.show("refused")
    story.keep("refused")
    assert story.found() == {"refused, but kept": 2}


def test_a_toast_past_its_time_is_too_late(story):
    created = story.at
    story.at += 2100
    story.tell("short", 9, connection=2, created=created)
    assert story.found() == {"too late": 1}


def test_what_is_told_long_after_it_was_accepted_is_slow(story):
    story.publish("slow")
    story.keep("slow")
    story.get("slow", 9, connection=2)
    story.at += 20_000
    story.get("slow", 9, page="ada-2")
    assert story.found() == {"slow": 1}
    assert story.verdict().wait(0.5) < 1000 < story.verdict().wait(1)


def test_what_faults_took_is_not_slow(story):
    story.publish("slow")
    story.keep("slow")
    story.get("slow", 9, connection=2)
    story.at += 20_000
    story.events.append(Broke(kind="page reset", at=0, until=story.at, effect="of others"))
    story.events.append(Broke(kind="redis paused", at=0, until=story.at, effect="yes"))
    story.get("slow", 9, page="ada-2")
    assert story.found() == {}


def test_a_phone_that_never_rings_is_found(story):
    story.publish("silent", user="cat")
    story.keep("silent", user="cat")
    assert story.found() == {"never decided": 1}


def test_a_fault_that_did_not_happen_is_found(story):
    story.add(Broke, kind="worker killed", until=story.at, effect="pid 1 is 2")
    assert story.verdict().clean
    story.add(Broke, kind="redis paused", until=story.at, effect="")
    verdict = story.verdict()
    assert not verdict.clean
    assert verdict.without_effect
    assert verdict.faults == {"worker killed": 1, "redis paused": 1}


def test_every_promise_can_be_broken():
    with open(__file__, encoding="utf-8") as file:
        text = file.read()
    assert all(f'"{promise}"' in text for promise in PROMISES)


def test_a_history_is_read_as_it_was_written(story, tmp_path):
    history = History(story.events)
    history.save(tmp_path / "history")
    assert History.load(tmp_path / "history").all() == story.events
