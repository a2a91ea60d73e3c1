"""Whatever happens while sessions are read, nobody is believed for longer than they may be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from toastkit.errors import SessionRevoked
from toastkit.identity.sessioncache import SessionCache
from toastkit.records import Session
from toastkit.testing import ManualClock

NAMES = "abc"
FRESH_MS = 1000
SPOKEN = st.one_of(
    st.tuples(st.just("pass"), st.sampled_from([0.1, 0.5, 0.8, 1.0])),
    st.tuples(
        st.sampled_from(["revoke", "revoke elsewhere", "look", "delete"]), st.sampled_from(NAMES)
    ),
)
HISTORIES = st.recursive(
    st.lists(SPOKEN, max_size=4),
    lambda meanwhile: st.lists(
        st.one_of(SPOKEN, st.tuples(st.just("find"), st.sampled_from(NAMES), meanwhile)), max_size=6
    ),
    max_leaves=20,
)
"""What happens, in order; while a session is read other things happen, other reads among them."""

SLOWLY_ENDED = [("revoke elsewhere", "a"), ("pass", 0.8)]


@dataclass
class Life:
    """A cache, the table it reads, and when each session was found, told to be, or gone."""

    clock: ManualClock = field(default_factory=ManualClock)
    rows: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(NAMES, True))
    gone_at: dict[str, float] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    meanwhile: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cache = SessionCache(self.read, self.clock, most=2, fresh_ms=FRESH_MS)

    def read(self, name: str) -> Session | None:
        live = self.rows.get(name)
        meanwhile, self.meanwhile = self.meanwhile, []
        self.live(meanwhile)  # the answer on its way is of before
        if live is None:
            return None
        times = {"created_at": 1, "expires_at": 2, "revoked_at": None if live else 7}
        return Session(token_hash=name, user_id="ada", kind="user", **times)

    def live(self, history: list[Any]) -> None:
        for what, *about in history:
            getattr(self, what.replace(" ", "_") if what != "pass" else "wait")(*about)

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def revoke_elsewhere(self, name: str) -> None:
        if self.rows.get(name):
            self.rows[name] = False
            self.gone_at[name] = self.clock.monotonic()

    def look(self, name: str) -> None:
        if self.rows.get(name) is False:
            self.cache.end(name)
            self.told.add(name)

    def revoke(self, name: str) -> None:
        self.revoke_elsewhere(name)
        self.look(name)

    def delete(self, name: str) -> None:
        if self.rows.pop(name, None) is not None:
            self.gone_at.setdefault(name, self.clock.monotonic())
            self.cache.clear()
            self.told.add(name)

    def find(self, name: str, meanwhile: list[Any]) -> None:
        told, began = name in self.told, self.clock.monotonic()
        self.meanwhile = meanwhile
        try:
            found = self.cache.find(name)
        except SessionRevoked:
            assert self.rows.get(name) is not True
            return
        finally:
            self.meanwhile = []
        if found is not None:
            assert not told, f"{name} was found though this process knew of its end"
            gone_at = self.gone_at.get(name)
            assert gone_at is None or began - gone_at < FRESH_MS / 1000, (
                f"{name} was believed too long"
            )


@given(HISTORIES)
@example([("find", "a", [("revoke", "a")]), ("find", "a", [])])
@example(
    [("find", "a", [("find", "b", []), ("find", "c", []), ("revoke", "a")]), ("find", "a", [])]
)
@example([("find", "a", SLOWLY_ENDED), ("pass", 0.8), ("find", "a", [])])
@example([("find", "a", SLOWLY_ENDED), ("pass", 0.8), ("find", "a", [("find", "a", [])])])
@example([("find", "a", [("delete", "a")]), ("find", "a", [])])
def test_B5_nobody_is_believed_for_longer_than_they_may_be(history: list[Any]) -> None:
    Life().live(history)
