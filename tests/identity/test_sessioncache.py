from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from toastkit.errors import SessionRevoked, StorageUnavailable
from toastkit.identity.sessioncache import SessionCache
from toastkit.records import Session
from toastkit.runtime import runtime_for
from toastkit.testing import ManualClock

FRESH_MS = 1000


class Reads:
    """Tell of sessions what a test says, count how often, and stop at a gate where there is one."""

    def __init__(self) -> None:
        self.rows: dict[str, Session] = {}
        self.asked: list[str] = []
        self.meanwhile: Callable[[], object] | None = None

    def add(self, token_hash: str) -> Session:
        self.rows[token_hash] = row = Session(
            token_hash=token_hash, user_id="ada", kind="user", created_at=1, expires_at=2
        )
        return row

    def revoke(self, token_hash: str) -> None:
        self.rows[token_hash] = replace(self.rows[token_hash], revoked_at=7)

    def __call__(self, token_hash: str) -> Session | None:
        self.asked.append(token_hash)
        found = self.rows.get(token_hash)
        if self.meanwhile is not None:
            self.meanwhile()
        return found


@pytest.fixture
def reads() -> Reads:
    reads = Reads()
    reads.add("h")
    return reads


@pytest.fixture
def cache(reads: Reads, clock: ManualClock) -> SessionCache:
    return SessionCache(reads, clock, most=3, fresh_ms=FRESH_MS)


def test_B2_a_session_is_read_once_while_it_is_fresh(cache, reads, clock):
    found = [cache.find("h") for _ in range(5)]
    clock.advance(0.74)
    assert [*found, cache.find("h")] == [reads.rows["h"]] * 6
    assert reads.asked == ["h"]


def test_it_is_read_again_when_it_is_not(cache, reads, clock):
    cache.find("h")
    reads.revoke("h")
    clock.advance(FRESH_MS / 1000)
    with pytest.raises(SessionRevoked):
        cache.find("h")


def test_it_is_as_fresh_as_the_beginning_of_its_read(cache, reads, clock):
    def find_too() -> None:
        reads.meanwhile = None
        cache.find("h")

    reads.meanwhile = lambda: clock.advance(0.9)
    cache.find("h")
    clock.advance(0.1)
    reads.meanwhile = find_too
    cache.find("h")
    assert reads.asked == ["h", "h", "h"]


def test_one_reads_it_again_while_the_others_still_believe_it(cache, reads, clock):
    cache.find("h")
    clock.advance(0.8)
    others = []
    reads.meanwhile = lambda: others.append(cache.find("h"))
    assert cache.find("h") == reads.rows["h"]
    assert others == [reads.rows["h"]]
    assert reads.asked == ["h", "h"]


def test_nobody_believes_for_longer_because_another_reads(cache, reads, clock):
    cache.find("h")
    clock.advance(0.8)
    begun, go_on = threading.Event(), threading.Event()
    reads.meanwhile = lambda: (begun.set(), go_on.wait(5))
    reader = threading.Thread(target=cache.find, args=("h",))
    reader.start()
    assert begun.wait(5)
    reads.meanwhile = None
    clock.advance(0.2)
    cache.find("h")
    go_on.set()
    reader.join()
    assert reads.asked == ["h", "h", "h"]


def test_who_could_not_read_it_tries_again(cache, reads, clock):
    def fail() -> None:
        raise StorageUnavailable("away")

    reads.meanwhile = fail
    with pytest.raises(StorageUnavailable):
        cache.find("h")
    reads.meanwhile = None
    assert cache.find("h") == reads.rows["h"]


def test_B5_a_revocation_counts_at_once(cache, reads):
    cache.find("h")
    cache.end("h")
    with pytest.raises(SessionRevoked):
        cache.find("h")
    assert reads.asked == ["h"]


@pytest.mark.parametrize("known", [False, True])
def test_B5_a_read_that_began_before_a_revocation_does_not_undo_it(cache, reads, clock, known):
    if known:
        cache.find("h")
        clock.advance(0.8)
    reads.meanwhile = lambda: cache.end("h")
    for _ in range(2):
        with pytest.raises(SessionRevoked):
            cache.find("h")
        reads.meanwhile = None


def test_B5_nor_does_one_that_was_pushed_out_meanwhile(cache, reads):
    def push_out_and_revoke() -> None:
        reads.meanwhile = None
        for other in "abc":
            reads.add(other)
            cache.find(other)
        reads.revoke("h")
        cache.end("h")
        for other in "abc":
            cache.end(other)

    reads.meanwhile = push_out_and_revoke
    cache.find("h")  # its answer is of before; nobody else is given it
    with pytest.raises(SessionRevoked):
        cache.find("h")


def test_a_revoked_session_costs_no_read(cache, reads, clock):
    reads.revoke("h")
    for _ in range(5):
        clock.advance(10)
        with pytest.raises(SessionRevoked):
            cache.find("h")
    assert reads.asked == ["h"]


def test_made_up_tokens_push_out_nobody(cache, reads):
    cache.find("h")
    assert [cache.find(f"made up {number}") for number in range(100)] == [None] * 100
    reads.add("real")
    cache.find("real")
    cache.find("h")
    assert reads.asked.count("h") == 1


def test_made_up_tokens_that_cannot_be_read_leave_nothing_behind(cache, reads):
    cache.find("h")

    def fail() -> None:
        raise StorageUnavailable

    reads.meanwhile = fail
    for number in range(10):
        with pytest.raises(StorageUnavailable):
            cache.find(f"made up {number}")
    assert list(cache._known) == ["h"]


def test_it_remembers_so_many_and_forgets_who_was_read_longest_ago(cache, reads, clock):
    for token_hash in "abc":
        reads.add(token_hash)
        cache.find(token_hash)
    clock.advance(0.8)
    cache.find("a")
    cache.find("h")
    reads.asked.clear()
    for token_hash in ("a", "h", "b"):
        cache.find(token_hash)
    assert reads.asked == ["b"]


def test_what_is_cleared_is_read_again(cache, reads):
    cache.find("h")
    cache.clear()
    del reads.rows["h"]
    assert cache.find("h") is None


def test_what_was_being_read_when_it_was_cleared_is_read_again(cache, reads):
    def clear() -> None:
        del reads.rows["h"]
        cache.clear()

    reads.meanwhile = clear
    cache.find("h")
    reads.meanwhile = None
    assert cache.find("h") is None


def finds(cache: SessionCache, token_hash: str) -> bool:
    try:
        return cache.find(token_hash) is not None
    except SessionRevoked:
        return False


def test_B5_many_threads_that_find_revoke_and_push_out_never_find_what_was_revoked(clock):
    reads = Reads()
    cache = SessionCache(reads, clock, most=2, fresh_ms=10**6)
    breathe = runtime_for("auto").breathe
    revoked: set[str] = set()
    wrong: list[str] = []
    done = threading.Event()
    names, others = [f"s{number}" for number in range(20)], [f"o{number}" for number in range(300)]
    for name in (*names, *others):
        reads.add(name)

    def find() -> None:
        while not done.is_set():
            breathe()
            for name in names:
                gone = name in revoked
                if finds(cache, name) and gone:
                    wrong.append(name)

    threads = [threading.Thread(target=find) for _ in range(6)]
    for thread in threads:
        thread.start()
    for name in names:
        for other in others:
            cache.find(other)
        breathe()
        reads.revoke(name)
        cache.end(name)
        revoked.add(name)
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
