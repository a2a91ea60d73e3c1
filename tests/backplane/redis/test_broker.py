"""Several workers on one Redis: who hears what, and what the publisher learns of it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.backplane.redis.conftest import Hire
from tests.backplane.redis.workers import Process, Worker, until
from tests.fakes import control, toast
from tests.redis import RedisServer
from toastkit.backplane.contract import Confirmation, Dismissal
from toastkit.backplane.redis import RedisBackplane, asking, broker, peers
from toastkit.backplane.redis.envelope import MAX_BYTES
from toastkit.backplane.redis.notices import Answered, encode
from toastkit.backplane.redis.pump import Command, Then
from toastkit.clock import SystemClock
from toastkit.config import Config
from toastkit.runtime import ThreadsRuntime


def subscribers(server: RedisServer, channel: str | bytes) -> int:
    _, count = server.ask("PUBSUB", "NUMSUB", channel)
    return int(count)


def test_the_clients_of_every_worker_are_told_and_counted_once(hire: Hire) -> None:
    workers = [hire() for _ in range(4)]
    assert workers[0].broadcast(toast()) == [Confirmation(4, 4, complete=True)]
    assert [worker.ear.heard for worker in workers] == [["01HXY7Z1"]] * 4


def test_a_worker_without_clients_on_the_route_is_not_asked(hire: Hire) -> None:
    one, other = hire(), hire(["user:u2"])
    assert one.broadcast(toast(), toast("u2", id="two"), toast("u3", id="three")) == [
        Confirmation(1, 1, complete=True),
        Confirmation(1, 1, complete=True),
        Confirmation(0, 0, complete=True),
    ]
    assert (one.ear.heard, other.ear.heard) == (["01HXY7Z1"], ["two"])


def test_A27_everybody_is_told_what_is_for_everybody(hire: Hire) -> None:
    workers = [hire([]), hire(["user:u2"])]
    assert workers[0].broadcast(control()) == [Confirmation(2, 2, complete=True)]
    assert [worker.ear.heard for worker in workers] == [["c1"]] * 2


def test_what_a_worker_broadcasts_first_the_others_hear_first(hire: Hire) -> None:
    one, other = hire(), hire()
    ids = [str(number) for number in range(300)]
    pending = [one.runtime.ask(lambda id=id: one.backplane.broadcast([toast(id=id)])) for id in ids]
    for each in pending:
        assert each.wait(30) == [Confirmation(2, 2, complete=True)]
    assert one.ear.heard == other.ear.heard == ids


def test_an_answer_that_comes_late_is_counted_and_changes_nothing(hire: Hire) -> None:
    one, other = hire(), hire()
    other.ear.answers = False
    assert one.broadcast(toast(), seconds=0.1) == [Confirmation(1, 1)]
    assert one.backplane.counts.missed == 1
    until(lambda: other.ear.held)
    other.runtime.ask(lambda: other.ear.held[0](5, 5))
    until(lambda: one.backplane.counts.late == 1)


def test_what_nobody_answers_is_given_up(hire: Hire, hurried: None) -> None:
    one, other = hire(), hire()
    other.ear.answers = False
    pending = one.runtime.ask(lambda: one.backplane.broadcast([toast()]))
    until(lambda: other.ear.held)
    until(lambda: not one.broker._asked._open)
    assert pending.wait(0) == [Confirmation(1, 1)]


def test_who_closes_waits_for_nobody(hire: Hire) -> None:
    one, other = hire(), hire()
    other.ear.answers = False
    pending = one.runtime.ask(lambda: one.backplane.broadcast([toast()]))
    until(lambda: other.ear.held)
    one.backplane.close()
    started = time.monotonic()
    assert pending.wait(30) == [Confirmation(1, 1)]
    assert time.monotonic() - started < 15


def test_a_redis_that_says_nothing_holds_up_an_end_no_longer_than_any_answer(
    hire: Hire, own_redis: RedisServer
) -> None:
    own_redis.pause()
    script = hire(None, redis_url=own_redis.url, redis_timeout_ms=100)
    script.backplane.dismiss(Dismissal("ada"))
    started = time.monotonic()
    script.backplane.close()
    assert time.monotonic() - started < 15
    own_redis.resume()


def test_who_has_just_beaten_is_not_gone(hire: Hire) -> None:
    # Redis was asked before it came back.
    worker = hire()
    worker.runtime.ask(lambda: worker.broker._peers.beat("other"))
    worker.runtime.ask(lambda: worker.broker._found("other", 0))
    assert worker.peers == 1


def test_an_answer_to_nothing_that_was_asked_is_late(hire: Hire, redis_server: RedisServer) -> None:
    worker = hire()
    redis_server.ask("PUBLISH", worker.broker._own, encode([Answered(999, "0" * 16, 1, 1)]))
    until(lambda: worker.backplane.counts.late == 1)


def test_what_is_too_big_for_the_others_is_told_here_and_not_taken_for_told(
    hire: Hire, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = hire(), hire()
    large = control(route="user:u1", text="x" * MAX_BYTES)
    assert one.broadcast(large, toast()) == [
        Confirmation(1, 1),
        Confirmation(2, 2, complete=True),
    ]
    assert other.ear.heard == ["01HXY7Z1"]
    assert other.backplane.counts.dropped.total() == 0
    assert "too big" in caplog.text


def test_who_hears_no_more_waits_for_no_answer(
    hire: Hire, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "KEPT_TICKS", 1000)  # nothing is forgotten
    one, other = hire([]), hire()
    other.ear.answers = False
    pending = one.runtime.ask(lambda: one.backplane.broadcast([toast()]))
    until(lambda: other.ear.held)
    started = time.monotonic()
    redis_server.ask("CLIENT", "KILL", "ID", one.broker._listener._id)
    assert pending.wait(30) == [Confirmation()]
    assert time.monotonic() - started < 15


def test_a_retry_takes_no_answer_of_the_first_time(hire: Hire) -> None:
    one, other = hire([]), hire()
    other.ear.answers = False
    one.broadcast(toast(), seconds=0)
    pending = one.runtime.ask(lambda: one.backplane.broadcast([toast()]))
    until(lambda: len(other.ear.held) == 2)
    other.runtime.ask(lambda: other.ear.held[0](7, 7))
    until(lambda: one.backplane.counts.late == 1)
    other.runtime.ask(lambda: other.ear.held[1](1, 1))
    assert pending.wait(30) == [Confirmation(1, 1, complete=True)]


def test_who_is_there_is_asked_before_they_are_told(
    hire: Hire, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever comes back in between would be counted, and has not heard it.
    worker, said = hire(), list[str | bytes | int]()
    until(lambda: worker.broker._pump.is_open)
    do = worker.broker._pump.do

    def note(command: Command, then: Then) -> None:
        said.append(command[1])
        do(command, then)

    monkeypatch.setattr(worker.broker._pump, "do", note)
    worker.broadcast(toast(), toast("u2"))
    events = [worker.keys.channel("user:u1"), worker.keys.channel("user:u2")]
    assert [each for each in said if each in {"NUMSUB", *events}] == ["NUMSUB", *events]


def test_workers_know_each_other_before_anybody_beats(
    hire: Hire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "TICK_SECONDS", 3600)
    first, second = hire(), hire()
    until(lambda: (first.peers, second.peers) == (1, 1))


# A process that serves nobody


def test_a_process_that_serves_nobody_learns_who_was_there(hire: Hire) -> None:
    hire(), hire()
    script = hire(None)
    assert script.broadcast(toast(), toast("u2")) == [
        Confirmation(2, 2, complete=True),
        Confirmation(0, 0, complete=True),
    ]
    assert script.ear.heard == []


def test_where_nobody_serves_at_all_it_is_not_known_that_nobody_is_there(hire: Hire) -> None:
    script, started = hire(None), time.monotonic()
    assert script.broadcast(toast()) == [Confirmation()]
    assert time.monotonic() - started < 10
    assert script.backplane.trouble is None


def test_a_process_that_serves_nobody_is_no_worker(
    hire: Hire, redis_server: RedisServer, hurried: None
) -> None:
    worker, script = hire(), hire(None)
    script.broadcast(toast())
    until(lambda: script.broker._crew._ticks > 0)
    script.broadcast(toast())  # behind whatever it has said of itself by then
    assert subscribers(redis_server, worker.broker._everybody) == 1
    assert worker.peers == 0


def test_who_begins_to_serve_hears_from_then_on(hire: Hire) -> None:
    late, one = hire(None), hire()
    late.broadcast(toast(id="before"))
    late.backplane.serve()
    late.join("user:u1")
    until(lambda: one.peers == 1)
    assert None in late.ear.doubts
    assert one.broadcast(toast(id="after")) == [Confirmation(2, 2, complete=True)]


def test_a_worker_that_has_just_gone_may_be_about_to_come_back(hire: Hire) -> None:
    _, other, script = hire([]), hire(), hire(None)
    assert script.broadcast(toast()) == [Confirmation(1, 1, complete=True)]
    other.backplane.close()
    until(lambda: script.broadcast(toast())[0].written == 0)
    assert script.broadcast(toast()) == [Confirmation()]


def test_who_does_not_come_back_is_expected_no_longer(hire: Hire, hurried: None) -> None:
    _, other, script = hire([]), hire(), hire(None)
    assert script.broadcast(toast()) == [Confirmation(1, 1, complete=True)]
    other.backplane.close()
    until(lambda: script.broadcast(toast()) == [Confirmation(complete=True)])


# Routes come and go


def test_what_came_while_a_route_was_being_subscribed_is_read_anew(hire: Hire) -> None:
    worker = hire([])
    worker.join("user:u7")
    until(lambda: ["user:u7"] in worker.ear.doubts)


def test_a_route_is_left_a_moment_after_its_last_client(
    hire: Hire, redis_server: RedisServer, hurried: None
) -> None:
    worker = hire()
    channel = worker.keys.channel("user:u1")
    until(lambda: subscribers(redis_server, channel) == 1)
    worker.leave("user:u1")
    until(lambda: subscribers(redis_server, channel) == 0)
    worker.join("user:u1")
    until(lambda: subscribers(redis_server, channel) == 1)


def test_a_tab_that_is_reloaded_unsubscribes_nothing(hire: Hire, redis_server: RedisServer) -> None:
    worker = hire()
    channel = worker.keys.channel("user:u1")
    before = redis_server.ask("INFO", "commandstats").get("cmdstat_unsubscribe")
    for _ in range(20):
        worker.leave("user:u1")
        worker.join("user:u1")
    for _ in range(3):
        worker.runtime.ask(worker.broker.routes.tick)
    assert worker.broadcast(toast()) == [Confirmation(1, 1, complete=True)]
    assert subscribers(redis_server, channel) == 1
    assert redis_server.ask("INFO", "commandstats").get("cmdstat_unsubscribe") == before


def test_a_route_that_was_left_answers_for_nobody(hire: Hire) -> None:
    one, other = hire([]), hire()
    other.leave("user:u1")
    assert one.broadcast(toast()) == [Confirmation(0, 0, complete=True)]
    assert other.ear.heard == []


def test_thousands_of_routes_are_heard(hire: Hire, redis_server: RedisServer) -> None:
    one, other = hire([]), hire([f"user:u{number}" for number in range(2000)])
    until(lambda: subscribers(redis_server, other.keys.channel("user:u1999")) == 1)
    told = one.broadcast(*(toast(f"u{number}", id=str(number)) for number in range(0, 2000, 40)))
    assert told == [Confirmation(1, 1, complete=True)] * 50


# Dismissals


def test_a_dismissal_reaches_every_other_worker(hire: Hire) -> None:
    workers = [hire([]) for _ in range(3)]
    dismissal = Dismissal("u1", ("a" * 64,))
    workers[0].backplane.dismiss(dismissal)
    until(lambda: workers[1].dismissed and workers[2].dismissed)
    assert [worker.dismissed for worker in workers] == [[], [dismissal], [dismissal]]


def test_who_never_used_it_needs_no_loop_to_close_it(config: Config) -> None:
    """Such as ``flask toastkit devices``, which ends when no thread can be made any more."""
    runtime = ThreadsRuntime()
    RedisBackplane(config, runtime, SystemClock()).close()
    assert runtime._loop is None


def test_reasons_that_change_all_the_time_are_not_told_each_time(
    hire: Hire, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reasons = iter(["Redis is away", "Redis refuses"] * 20)
    monkeypatch.setattr(broker.Broker, "trouble", property(lambda _: next(reasons)))
    script = hire(None)
    for _ in range(30):
        script.broker._report()
    assert [each.getMessage().partition(";")[0] for each in caplog.records] == ["Redis is away"]


def test_what_a_process_has_said_is_said_before_it_ends(hire: Hire) -> None:
    """A command such as ``toastkit forget`` ends at once, before it is even connected."""
    worker, script = hire(), hire(None)
    script.backplane.dismiss(Dismissal("u1"))
    script.backplane.close()
    until(lambda: worker.dismissed == [Dismissal("u1")], 5)


def test_a_process_that_serves_nobody_may_dismiss(hire: Hire) -> None:
    worker, script = hire([]), hire(None)
    script.backplane.dismiss(Dismissal("u1"))
    until(lambda: worker.dismissed == [Dismissal("u1")])


# Workers that end, freeze and die


def test_who_says_farewell_is_waited_for_no_longer(
    hire: Hire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "BEATS", 1000)  # nobody is missed
    one, other = hire(), hire()
    other.backplane.close()
    until(lambda: one.peers == 0)
    assert one.broadcast(toast()) == [Confirmation(1, 1, complete=True)]


def test_after_close_redis_knows_it_no_longer(hire: Hire, redis_server: RedisServer) -> None:
    worker = hire()
    worker.backplane.close()
    until(lambda: subscribers(redis_server, worker.keys.channel("user:u1")) == 0)
    until(lambda: subscribers(redis_server, worker.broker._own) == 0)


@pytest.mark.plain
def test_a_frozen_worker_is_not_counted_and_soon_not_waited_for(
    hire: Hire, start: Callable[..., Process], hurried: None
) -> None:
    worker, frozen = hire(), start("user:u1")
    until(lambda: worker.peers == 1)
    assert worker.broadcast(toast(id="1")) == [Confirmation(2, 2, complete=True)]
    frozen.freeze()
    assert worker.broadcast(toast(id="2"), seconds=0.1)[0].written == 1
    until(lambda: worker.broker._peers.silent)
    started = time.monotonic()
    assert worker.broadcast(toast(id="3")) == [Confirmation(1, 1, complete=True)]
    assert time.monotonic() - started < 5
    frozen.thaw()
    until(lambda: not worker.broker._peers.silent)
    assert worker.broadcast(toast(id="4")) == [Confirmation(2, 2, complete=True)]


@pytest.mark.plain
def test_a_killed_worker_is_not_counted_and_soon_forgotten(
    hire: Hire, start: Callable[..., Process], hurried: None
) -> None:
    worker, killed = hire([]), start("user:u1")
    until(lambda: worker.peers == 1)
    killed.end()
    until(lambda: worker.peers == 0)
    assert worker.broadcast(toast()) == [Confirmation(0, 0, complete=True)]


@pytest.mark.plain
def test_two_processes_tell_each_other(hire: Hire, start: Callable[..., Process]) -> None:
    worker, _ = hire(), start("user:u1")
    until(lambda: worker.peers == 1)
    assert worker.broadcast(toast(), control()) == [Confirmation(2, 2, complete=True)] * 2


def test_apps_on_one_redis_do_not_meet(hire: Hire, redis_prefix: str) -> None:
    one = hire()
    other: Worker = hire(wait=False, redis_prefix=f"{redis_prefix}-other")
    numbered = hire(
        wait=False,
        redis_url=one.backplane._parts.place.name.replace("Redis at ", "redis://") + "/3",
    )
    for each in (one, other, numbered):
        until(lambda each=each: each.hears)
        assert each.broadcast(toast()) == [Confirmation(1, 1, complete=True)]
    assert [each.ear.heard for each in (one, other, numbered)] == [["01HXY7Z1"]] * 3
