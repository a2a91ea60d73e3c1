"""Was a promise broken? Judge a history that everybody has written their side of.

The promises are those of docs/delivery: what was accepted is kept and reaches every page of its
user; a page that keeps ids shows it once; nobody else is told; on a connection positions rise.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

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

SLACK_MS = 2000
"""So late a page on a busy machine may write down what came in time; frames tell whole seconds."""

SLOW_MS = 6000
"""So long after it was accepted a toast may be told, besides the time in which nothing could be."""

STANDSTILLS = frozenset(
    {
        *("redis paused", "redis cut off", "worker frozen"),
        *("sqlite locked", "postgresql restarted", "page reads nothing"),
    }
)
"""Faults that nobody can know of before they are over, or who told what cannot be known."""

PROMISES = {
    "lost": "accepted, and then nowhere to be found, or never told to a page that came back",
    "shown twice": "one toast on one screen under two ids, or an id that was shown again",
    "crossed": "somebody else's, or nobody's",
    "out of order": "after a newer one on the same connection",
    "refused, but kept": "answered with a refusal, which says that nothing was kept",
    "too late": "shown after its time to live",
    "slow": "told to a page that was there all the while, but much later",
    "never decided": "accepted, and no phone rang although nobody was there",
}


@dataclass
class Verdict:
    """Every broken promise with what broke it, and what else is worth knowing."""

    broken: dict[str, list[str]] = field(
        default_factory=lambda: {promise: [] for promise in PROMISES}
    )
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    without_effect: list[str] = field(default_factory=list)
    waits: list[int] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Tell whether every promise was kept, and every fault happened."""
        return not any(self.broken.values()) and not self.without_effect

    def wait(self, share: float) -> int:
        """Return after how many milliseconds this share of pages had been told."""
        waits = sorted(self.waits)
        return waits[min(len(waits) - 1, int(share * len(waits)))] if waits else 0

    def figures(self) -> dict[str, int]:
        """Return how often each promise was broken."""
        return {promise: len(found) for promise, found in self.broken.items()}


@dataclass
class Life:
    """One toast: who wished it, and what all attempts to publish it were answered."""

    wish: Wished
    ids: list[str] = field(default_factory=list)
    outcomes: set[str] = field(default_factory=set)
    answered_at: int = 0
    accepted_at: int = 0

    @property
    def accepted(self) -> bool:
        return bool(self.ids)

    @property
    def refused(self) -> bool:
        """Tell whether every attempt was refused."""
        return self.outcomes == {"fail"}

    def over(self, at: int) -> bool:
        """Tell whether its time to live has surely run out."""
        return self.wish.ttl is not None and self.answered_at + self.wish.ttl <= at


def check(history: History, phones: frozenset[str] = frozenset()) -> Verdict:
    """Judge a history that is over: ``phones`` are users who have a phone and never a page."""
    verdict, lives = Verdict(), _lives(history)
    _check_whose(history, lives, verdict)
    _check_once(history, lives, verdict)
    _check_order(history, verdict)
    _check_refused(history, lives, verdict)
    _check_late(history, lives, verdict)
    _check_slow(history, lives, verdict)
    over = max((event.at for event in history.all()), default=0)
    for what, toast in missing(history, phones, over):
        verdict.broken["never decided" if what == "no phone rang" else "lost"].append(
            f"{toast}: {what}"
        )
    _count(history, lives, verdict)
    return verdict


def missing(history: History, phones: frozenset[str], at: int) -> Iterator[tuple[str, str]]:
    """Yield ``(where, title)`` of each accepted toast that is not where it must be by then."""
    lives = _lives(history)
    pages = _pages(history)
    groups = _groups(lives)
    shown = _titles(history, Shown, lambda event: event.page)
    kept = _titles(history, Kept, lambda event: event.user)
    rang = _titles(history, Rang, lambda event: event.user)
    for title, life in lives.items():
        wish = life.wish
        if not life.accepted or life.over(at):
            continue
        # The newer of a collapse key takes the older's place: any of them stands for all.
        same = groups.get((wish.user, wish.collapse), {title})
        if not same & kept[wish.user]:
            yield "not in the list", title
        for page, since in pages[wish.user].items():
            if since <= wish.at and not same & shown[page]:
                yield f"never told to {page}", title
        if wish.user in phones and not same & rang[wish.user]:
            yield "no phone rang", title


def _lives(history: History) -> dict[str, Life]:
    lives = {event.title: Life(event) for event in history.of(Wished)}
    for event in history.of(Answered):
        life = lives[event.title]
        life.outcomes.add(event.outcome)
        life.answered_at = event.at
        if event.id is not None and not life.accepted_at:
            life.accepted_at = event.at
        if event.id is not None and event.id not in life.ids:
            life.ids.append(event.id)
    return lives


def _pages(history: History) -> dict[str, dict[str, int]]:
    """Return when each page of each user was there first: from then on it misses nothing."""
    pages: dict[str, dict[str, int]] = defaultdict(dict)
    for event in history.of(Greeted):
        pages[event.user].setdefault(event.page, event.at)
    return pages


def _titles(history: History, kind: type, by: Callable[..., str]) -> dict[str, set[str]]:
    titles: dict[str, set[str]] = defaultdict(set)
    for event in history.of(kind):
        titles[by(event)].add(event.title)
    return titles


def _groups(lives: dict[str, Life]) -> dict[tuple[str, str | None], set[str]]:
    groups: dict[tuple[str, str | None], set[str]] = defaultdict(set)
    for title, life in lives.items():
        if life.wish.collapse is not None and not life.refused:
            groups[life.wish.user, life.wish.collapse].add(title)
    return groups


def _check_whose(history: History, lives: dict[str, Life], verdict: Verdict) -> None:
    for kind in (Told, Shown, Rang, Kept):
        for event in history.of(kind):
            life = lives.get(event.title)
            if life is None:
                verdict.broken["crossed"].append(f"nobody published {event}")
            elif life.wish.user != event.user:
                verdict.broken["crossed"].append(f"{event} is for {life.wish.user}")


def _check_once(history: History, lives: dict[str, Life], verdict: Verdict) -> None:
    twice = verdict.broken["shown twice"]
    for title, life in lives.items():
        if len(life.ids) > 1:
            twice.append(f"{title} was accepted as {' and '.join(life.ids)}")
    screens: dict[tuple[str, str], list[str]] = defaultdict(list)
    for event in history.of(Shown):
        screens[event.page, event.title].append(event.id)
    lists: dict[tuple[str, str], set[str]] = defaultdict(set)
    for kept in history.of(Kept):
        lists[f"the list of {kept.user}", kept.title].add(kept.id)
    for rang in history.of(Rang):  # of two pushes with one id the later replaces the earlier
        lists[f"the phone of {rang.user}", rang.title].add(rang.id)
    for (place, title), ids in [*screens.items(), *lists.items()]:
        if len(ids) > 1:
            twice.append(f"{title} on {place} as {' and '.join(ids)}")


def _check_order(history: History, verdict: Verdict) -> None:
    """Look at each connection: positions rise, from where its page had stood.

    But what nobody had decided when the page came (up to the position it was greeted with) is told
    whenever it is decided.
    """
    greetings: dict[tuple[str, int], Greeted] = {}
    last: dict[tuple[str, int], int] = {}
    for event in history.all():
        if isinstance(event, Greeted):
            key = (event.page, event.connection)
            greetings[key] = event
            last[key] = event.seq if event.since is None or not event.recovered else event.since
        elif isinstance(event, Told):
            key = (event.page, event.connection)
            if key not in greetings:
                verdict.broken["out of order"].append(f"{event}: before any greeting")
            elif event.replayed or event.seq > greetings[key].seq:
                if event.seq <= last[key]:
                    verdict.broken["out of order"].append(f"{event}: after {last[key]}")
                last[key] = max(last[key], event.seq)


def _check_refused(history: History, lives: dict[str, Life], verdict: Verdict) -> None:
    refused = {title for title, life in lives.items() if life.refused}
    for kind in (Shown, Rang, Kept):
        for event in history.of(kind):
            if event.title in refused:
                verdict.broken["refused, but kept"].append(str(event))


def _check_late(history: History, lives: dict[str, Life], verdict: Verdict) -> None:
    for told in history.of(Told):
        life = lives.get(told.title)
        if life is not None and life.wish.ttl is not None:
            late = told.at - told.created - life.wish.ttl
            if late > SLACK_MS:
                verdict.broken["too late"].append(f"{told}: {late} ms late")


def _check_slow(history: History, lives: dict[str, Life], verdict: Verdict) -> None:
    pages = _pages(history)
    faults = [fault for fault in history.of(Broke) if fault.kind in STANDSTILLS]
    for shown in history.of(Shown):
        life = lives.get(shown.title)
        if life is None or not life.accepted or pages[shown.user][shown.page] > life.wish.at:
            continue
        took = shown.at - life.accepted_at
        verdict.waits.append(max(0, took))
        if took > SLOW_MS:
            took -= sum(_overlap(fault, life.accepted_at, shown.at) for fault in faults)
            if took > SLOW_MS:
                verdict.broken["slow"].append(f"{shown}: after {took} ms")


def _overlap(fault: Broke, begin: int, end: int) -> int:
    return max(0, min(fault.until, end) - max(fault.at, begin))


def _count(history: History, lives: dict[str, Life], verdict: Verdict) -> None:
    counts = verdict.counts
    counts["accepted"] = sum(life.accepted for life in lives.values())
    counts["refused"] = sum(life.refused for life in lives.values())
    counts["refusals"] = sum(event.outcome == "fail" for event in history.of(Answered))
    counts["unknown"] = sum("unknown" in life.outcomes for life in lives.values())
    counts["duplicates"] = sum(event.status == "duplicate" for event in history.of(Answered))
    counts["shown"] = len(history.of(Shown))
    counts["replayed"] = sum(event.replayed for event in history.of(Told))
    counts["told again"] = len(history.of(Told)) - len(
        {(event.page, event.id) for event in history.of(Told)}
    )
    counts["rang"] = len(history.of(Rang))
    counts["reconnects"] = sum(event.since is not None for event in history.of(Greeted))
    counts["not recovered"] = sum(event.recovered is False for event in history.of(Greeted))
    for fault in history.of(Broke):
        verdict.faults[fault.kind] += 1
        if not fault.effect:
            verdict.without_effect.append(f"{fault.kind} at {fault.at}")
