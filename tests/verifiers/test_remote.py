"""Keys that are fetched: how often, by whom, and what is believed meanwhile."""

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.verifiers.signing import jwk
from toastkit.errors import ConfigError, KeysNotLoaded
from toastkit.testing import ManualClock
from toastkit.verifiers import JwksLimits
from toastkit.verifiers.fetching import NotFetched
from toastkit.verifiers.keys import KeySet, read_jwks
from toastkit.verifiers.remote import THREAD, RemoteKeys


class Source:
    """Give the keys that ``names`` says; ``None`` is an outage."""

    def __init__(self, *names: str) -> None:
        self.names: tuple[str, ...] | None = names
        self.fetched = 0
        self.begun = threading.Semaphore(0)
        self.open = threading.Event()
        self.open.set()

    def begin(self, number: int) -> None:
        """Wait until so many more fetches have begun."""
        for _ in range(number):
            assert self.begun.acquire(timeout=30)

    def __call__(self) -> KeySet:
        self.fetched += 1
        names = self.names
        self.begun.release()
        assert self.open.wait(30)
        if names is None:
            raise NotFetched("HTTP status 500")
        return read_jwks({"keys": [jwk(name) for name in names]}, frozenset({"RS256"}))


@pytest.fixture
def source() -> Source:
    return Source("ours")


@pytest.fixture
def keys(source: Source, clock: ManualClock) -> RemoteKeys:
    return RemoteKeys("provider", source, clock, JwksLimits())


def knows(keys: RemoteKeys, kid: str) -> bool:
    return bool(keys.find(kid, "RS256"))


def settle() -> None:
    """Wait for a fetch that goes on beside the requests, and for what it has to log."""
    for thread in threading.enumerate():
        if thread.name == THREAD:
            thread.join(30)


@pytest.fixture(autouse=True)
def _settled(source: Source) -> Iterator[None]:
    yield
    source.open.set()
    settle()


def at_once(number: int, job: Callable[[], object]) -> list[object]:
    """Do the same thing in many threads at the same time."""
    barrier, found = threading.Barrier(number), []

    def run() -> None:
        barrier.wait(30)
        try:
            found.append(job())
        except KeysNotLoaded as error:
            found.append(type(error))

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return found


def promptly(job: Callable[[], object]) -> object:
    """Do it while the fetch hangs that ``patient`` keys would wait for half a minute."""
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.extend(at_once(1, job)))
    thread.start()
    thread.join(10)
    assert found, "it waits"
    return found[0]


@pytest.fixture
def patient(source: Source, clock: ManualClock) -> RemoteKeys:
    return RemoteKeys("provider", source, clock, JwksLimits(timeout_seconds=30))


def test_nothing_is_fetched_before_it_is_needed(keys: RemoteKeys, source: Source) -> None:
    assert source.fetched == 0


def test_keys_are_fetched_once(keys: RemoteKeys, source: Source, clock: ManualClock) -> None:
    for _ in range(10):
        assert knows(keys, "ours")
        clock.advance(29)
    assert source.fetched == 1


def test_of_many_who_need_them_one_fetches(keys: RemoteKeys, source: Source) -> None:
    source.open.clear()
    waiting = threading.Timer(0.2, source.open.set)
    waiting.start()
    assert at_once(50, lambda: knows(keys, "ours")) == [True] * 50
    assert source.fetched == 1
    waiting.join()


def test_old_keys_serve_while_newer_ones_are_fetched(
    patient: RemoteKeys, source: Source, clock: ManualClock
) -> None:
    assert knows(patient, "ours")
    clock.advance(300)
    source.open.clear()
    assert promptly(lambda: knows(patient, "ours")) is True
    source.begin(2)


def test_a_key_that_was_taken_back_is_believed_for_minutes_only(
    keys: RemoteKeys, source: Source, clock: ManualClock
) -> None:
    assert knows(keys, "ours")
    source.names = ("second",)
    clock.advance(600)  # nobody asked meanwhile: what is held is looked at first
    assert not knows(keys, "ours")
    assert knows(keys, "second")


def test_a_new_key_is_known_at_its_first_use(keys: RemoteKeys, source: Source) -> None:
    assert knows(keys, "ours")
    source.names = ("ours", "second")
    assert knows(keys, "second")  # right after a fetch, too: that one nobody's token has caused
    assert source.fetched == 2


def test_an_unknown_key_is_looked_for_every_few_seconds_at_most(
    keys: RemoteKeys, source: Source, clock: ManualClock
) -> None:
    assert not knows(keys, "a")
    assert source.fetched == 2
    for kid in "bcdef":
        assert not knows(keys, kid)
        clock.advance(0.999)
    assert source.fetched == 2
    clock.advance(0.01)
    assert not knows(keys, "g")
    assert source.fetched == 3


def test_ten_thousand_unknown_keys_by_fifty_threads_cost_one_fetch(
    keys: RemoteKeys, source: Source
) -> None:
    assert knows(keys, "ours")
    numbers = iter(range(10_000))  # shared: each is taken once

    def flood() -> bool:
        return any(knows(keys, f"k{number}") or not knows(keys, "ours") for number in numbers)

    assert at_once(50, flood) == [False] * 50
    assert next(numbers, None) is None
    assert source.fetched == 2


def test_of_many_with_one_new_key_one_fetches_and_all_pass(
    keys: RemoteKeys, source: Source
) -> None:
    assert knows(keys, "ours")
    source.names = ("ours", "second")
    source.open.clear()
    waiting = threading.Timer(0.2, source.open.set)
    waiting.start()
    assert at_once(50, lambda: knows(keys, "second")) == [True] * 50
    assert source.fetched == 2
    waiting.join()


def test_a_fetch_that_began_before_the_key_was_new_is_not_the_last_word(
    keys: RemoteKeys, source: Source, clock: ManualClock
) -> None:
    assert knows(keys, "ours")
    clock.advance(300)
    source.open.clear()
    assert knows(keys, "ours")  # begins a fetch, which finds the old keys
    source.begin(2)
    source.names = ("second",)
    waiting = threading.Timer(0.1, source.open.set)
    waiting.start()
    assert knows(keys, "second")
    waiting.join()


def test_in_an_outage_what_is_known_serves_for_a_day(
    keys: RemoteKeys, source: Source, clock: ManualClock
) -> None:
    assert knows(keys, "ours")
    source.names = None
    for _ in range(287):
        clock.advance(300)
        assert knows(keys, "ours")
        settle()
    clock.advance(299)
    assert knows(keys, "ours")
    clock.advance(1)
    with pytest.raises(KeysNotLoaded):
        keys.find("ours", "RS256")


def test_the_end_of_an_outage_is_noticed(
    keys: RemoteKeys, source: Source, clock: ManualClock
) -> None:
    source.names = None
    with pytest.raises(KeysNotLoaded):
        keys.find("ours", "RS256")
    source.names = ("ours",)
    clock.advance(4.9)
    with pytest.raises(KeysNotLoaded):
        keys.find("ours", "RS256")
    assert source.fetched == 1
    clock.advance(0.1)
    assert knows(keys, "ours")


def test_in_an_outage_nobody_waits_for_the_next_attempt(
    patient: RemoteKeys, source: Source, clock: ManualClock
) -> None:
    assert knows(patient, "ours")
    source.names = None
    clock.advance(3600)
    assert knows(patient, "ours")  # waited for the one that showed the outage
    settle()
    clock.advance(5)
    source.open.clear()
    assert promptly(lambda: knows(patient, "ours")) is True
    source.begin(3)


def test_whether_an_unknown_key_is_new_cannot_be_told_in_an_outage(
    keys: RemoteKeys, source: Source, clock: ManualClock
) -> None:
    assert knows(keys, "ours")
    source.names = None
    for _ in range(3):
        with pytest.raises(KeysNotLoaded):
            keys.find("second", "RS256")
        assert knows(keys, "ours")
    assert source.fetched == 2


def test_nobody_waits_longer_than_a_fetch_may_take(source: Source, clock: ManualClock) -> None:
    keys = RemoteKeys("provider", source, clock, JwksLimits(timeout_seconds=0.2))
    source.open.clear()
    assert at_once(10, lambda: knows(keys, "ours")) == [KeysNotLoaded] * 10
    assert source.fetched == 1


def test_nobody_waits_at_all_for_a_fetch_whose_time_is_up(
    patient: RemoteKeys, source: Source, clock: ManualClock
) -> None:
    source.open.clear()
    patient._fly(asked=False)
    clock.advance(30)
    assert promptly(lambda: knows(patient, "ours")) is KeysNotLoaded
    source.open.set()
    settle()
    assert knows(patient, "ours")  # what it brought late is as good
    assert source.fetched == 1


def test_what_nobody_expected_ends_no_fetching(
    keys: RemoteKeys, source: Source, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    keys._fetch = lambda: {}["keys"]
    with pytest.raises(KeysNotLoaded):
        keys.find("ours", "RS256")
    assert "KeyError" in caplog.text
    keys._fetch, source.names = source, ("ours",)
    clock.advance(5)
    assert knows(keys, "ours")


def test_no_thread_is_an_outage(
    keys: RemoteKeys, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(_: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", none_left)
        with pytest.raises(KeysNotLoaded):
            keys.find("ours", "RS256")
    clock.advance(5)
    assert knows(keys, "ours")


def test_an_outage_is_logged_when_it_begins_and_when_it_ends(
    keys: RemoteKeys, source: Source, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "toastkit")
    source.names = None
    for _ in range(3):
        with pytest.raises(KeysNotLoaded):
            keys.find("ours", "RS256")
        clock.advance(5)
    source.names = ("ours",)
    assert knows(keys, "ours")
    source.names = None
    clock.advance(300)
    assert knows(keys, "ours")
    settle()
    down = "the keys of provider cannot be had: HTTP status 500; "
    assert caplog.messages == [
        f"{down}until they can, its tokens are answered with 503",
        "the keys of provider can be had again",
        f"{down}those known serve for up to 24 hours",
    ]


@pytest.mark.plain
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_has_the_keys_and_fetches_by_itself(
    keys: RemoteKeys, source: Source, clock: ManualClock
) -> None:
    assert knows(keys, "ours")
    clock.advance(300)
    source.open.clear()
    assert knows(keys, "ours")  # a fetch is under way, in a thread the child will not have
    with keys._lock:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(20)  # one that waits for its parent's lock would wait for ever
            source.open.set()
            source.names = ("ours", "second")
            os._exit(0 if knows(keys, "ours") and knows(keys, "second") else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_what_a_fetch_of_before_the_fork_brings_is_not_believed(
    keys: RemoteKeys, source: Source
) -> None:
    source.open.clear()
    keys._fly(asked=False)
    source.begin(1)
    before, source.names = keys._flight, ("second",)
    keys._forked()
    source.open.set()
    assert before is not None
    assert before.over.wait(30)
    assert not knows(keys, "ours")
    assert knows(keys, "second")


@pytest.mark.parametrize(
    "wrong",
    [
        *({name: 0} for name in ("refresh_seconds", "cooldown_seconds", "timeout_seconds")),
        {"max_bytes": 0},
        {"stale_seconds": 299},
    ],
)
def test_limits_that_cannot_be_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="limits of a JWKS"):
        JwksLimits(**wrong)
