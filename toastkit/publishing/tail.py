"""Follow toasts as they are accepted, whoever publishes them, and what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from ..clock import Clock
from ..records import Facts, State, TailQuery, Trace
from .inbox import Inbox
from .verdict import Why, why

LATE_MS = 60_000
"""How far every look goes back: ids come late where another machine's clock, a busy database or many
toasts of one publish stand between their making and their commit."""

VERY_LATE_MS = 15 * 60_000
"""How far some looks go back: a transaction may stay open for long."""

VERY_LATE_EVERY_MS = 15_000

OPEN_MOST = 1000
"""How many toasts, longer ago than a look goes back, are followed until they are decided."""

_OPEN: tuple[Why, ...] = ("queued", "undecided", "outbox", "owed", "not_acked")


_Seen = tuple[Trace, Why | None]
"""How far a toast had come, and the word for it; ``None`` where nobody was told any."""


class TailEntry(Struct, frozen=True, kw_only=True):
    """Tell of one toast that it is there (``new``), or what has become of it since.

    ``why`` is the word of an ``Explanation``; ``at`` when it came to be, in milliseconds since the
    epoch, or when it was noticed where no time is kept of it.
    """

    at: int
    new: bool
    id: str
    user_id: str
    topic: str
    title: str
    state: State
    why: Why
    transport: str | None
    session_count: int | None


class TailParts(Struct, frozen=True):
    """What a tail is made of."""

    inbox: Inbox
    clock: Clock
    ack_timeout_ms: int


class Tail:
    """Look again and again at what a database has of toasts; made by ``kit.toasts.tail``.

    For one caller, who waits between two looks. A look that fails is made up for by the next.
    """

    def __init__(self, parts: TailParts, query: TailQuery) -> None:
        self._parts = parts
        self._query = query
        self._seen: dict[str, _Seen] = {}
        self._open: dict[str, None] = {}
        self._looked_far_at = 0

    def begin(self, last: int, since: int | None = None) -> list[TailEntry]:
        """Return the ``last`` toasts there are, made since then; what comes later ``look`` tells.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        now, inbox = self._parts.clock.now(), self._parts.inbox
        # What comes between these two is not in the first, so it is told by the second or a look.
        known = inbox.traces(self._query, now - VERY_LATE_MS)
        shown = inbox.newest(self._query, since, last) if last else []
        self._looked_far_at = now
        told = {facts.id for facts in shown}
        self._seen = {trace.id: (trace, None) for trace in known if trace.id not in told}
        return self._tell(shown, now)

    def look(self) -> list[TailEntry]:
        """Return what was accepted, and what has become of the toasts before, since the last look.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        now = self._parts.clock.now()
        # A clock that was set back makes ids of a time that has been looked at before.
        far = abs(now - self._looked_far_at) >= VERY_LATE_EVERY_MS
        back = min(now, self._looked_far_at) - VERY_LATE_MS if far else now - LATE_MS
        traces = self._parts.inbox.traces(self._query, back)
        doubtful = self._doubtful(traces)
        found = self._parts.inbox.known(doubtful)
        for id in set(doubtful) - {facts.id for facts in found}:
            self._open.pop(id, None)  # deleted, with all that is known of it
        entries = self._tell(found, now)
        if far:
            self._looked_far_at = now
            self._forget({trace.id for trace in traces})
        return entries

    def _doubtful(self, traces: Sequence[Trace]) -> list[str]:
        """Return the toasts to be read again: those that changed, and those that time may change."""
        changed = [
            trace.id
            for trace in traces
            if trace.id not in self._seen or self._seen[trace.id][0] != trace
        ]
        return list(dict.fromkeys([*changed, *self._open]))

    def _tell(self, found: Sequence[Facts], now: int) -> list[TailEntry]:
        entries = []
        for facts in found:
            before = self._seen.get(facts.id)
            word = self._note(facts, now)
            if before is None or _differs(before, facts, word):
                entries.append(_entry(facts, word, before, now))
        return entries

    def _note(self, facts: Facts, now: int) -> Why:
        word = why(facts, now, self._parts.ack_timeout_ms)
        before = self._seen.get(facts.id)
        if before is not None and (before[1], word) == ("undecided", "queued"):
            word = "undecided"  # somebody has taken it once more: that is no news
        self._seen[facts.id] = (_trace(facts), word)
        self._open.pop(facts.id, None)
        if word in _OPEN or (word == "delivered" and self._parts.ack_timeout_ms):
            self._open[facts.id] = None
            if len(self._open) > OPEN_MOST:
                del self._open[next(iter(self._open))]
        return word

    def _forget(self, looked_at: set[str]) -> None:
        # No look goes back to them any more.
        self._seen = {
            id: each for id, each in self._seen.items() if id in looked_at or id in self._open
        }


def _trace(facts: Facts) -> Trace:
    return Trace(*(getattr(facts, name) for name in Trace.__struct_fields__))


def _differs(before: _Seen, facts: Facts, word: Why) -> bool:
    trace, said = before
    return (said, trace.state, trace.seq) != (word, facts.state, facts.seq)


def _entry(facts: Facts, word: Why, before: _Seen | None, now: int) -> TailEntry:
    at = max(facts.created_at, _latest(_trace(facts)))
    if before is not None and _latest(before[0]) >= _latest(_trace(facts)):
        at = now
    return TailEntry(
        at=at,
        new=before is None or before[0].seq != facts.seq,
        id=facts.id,
        user_id=facts.user_id,
        topic=facts.topic,
        title=facts.title,
        state=facts.state,
        why=word,
        transport=facts.transport,
        session_count=facts.session_count,
    )


def _latest(trace: Trace) -> int:
    known = (trace.delivered_at, trace.acked_at, trace.seen_at, trace.read_at, trace.deleted_at)
    return max((at for at in known if at is not None), default=0)
