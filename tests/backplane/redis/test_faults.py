"""What becomes of workers when Redis, or the way to it, dies: each fault is done for real."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable, Iterator

import msgspec
import pytest
from redis import Redis, ResponseError

from tests.backplane.redis.conftest import Hire
from tests.backplane.redis.workers import PATIENCE, Worker, until
from tests.fakes import control, toast
from tests.proxy import Proxy
from tests.redis import RedisServer
from toastkit.backplane.contract import Confirmation, Dismissal, Pending
from toastkit.backplane.redis import RedisBackplane, asking, broker
from toastkit.backplane.redis.envelope import pack
from toastkit.backplane.redis.notices import Beat, encode
from toastkit.clock import SystemClock
from toastkit.config import Config
from toastkit.events import Event
from toastkit.runtime.contract import Runtime

pytestmark = pytest.mark.usefixtures("hurried")

ALONE = [Confirmation(1, 1)]
BOTH = [Confirmation(2, 2, complete=True)]


@pytest.fixture
def config(own_redis: RedisServer) -> Config:
    return Config(redis_url=own_redis.url, redis_timeout_ms=300)


def both_hear(*workers: Worker) -> None:
    """Wait until each hears, and knows the others."""
    until(lambda: all(worker.hears and worker.peers == len(workers) - 1 for worker in workers))
    until(lambda: all(worker.backplane.trouble is None for worker in workers))


def test_without_redis_at_the_start_the_own_clients_are_told_at_once(
    hire: Hire, own_redis: RedisServer
) -> None:
    own_redis.kill()
    worker, started = hire(wait=False), time.monotonic()
    assert worker.broadcast(toast()) == ALONE
    assert worker.ear.heard == ["01HXY7Z1"]
    assert time.monotonic() - started < 5
    assert worker.backplane.trouble is not None
    own_redis.start()
    both_hear(worker)
    assert worker.broadcast(toast()) == [Confirmation(1, 1, complete=True)]


def test_what_a_script_publishes_without_redis_reaches_nobody_and_it_knows(
    hire: Hire, own_redis: RedisServer
) -> None:
    own_redis.kill()
    script, started = hire(None), time.monotonic()
    assert script.broadcast(control()) == [Confirmation()]
    assert time.monotonic() - started < 5
    trouble = str(script.backplane.trouble)
    assert trouble.startswith("Redis at 127.0.0.1")
    assert not trouble.endswith(".")


def test_redis_dies_and_comes_back_empty(hire: Hire, own_redis: RedisServer) -> None:
    one, other = hire(), hire()
    run = own_redis.ask("INFO", "server")["run_id"]
    assert one.broadcast(toast()) == BOTH
    own_redis.kill()
    until(lambda: one.backplane.trouble and other.backplane.trouble)
    assert one.broadcast(toast(id="alone")) == ALONE
    own_redis.start()
    assert own_redis.ask("INFO", "server")["run_id"] != run
    both_hear(one, other)
    assert one.broadcast(toast(id="again")) == BOTH
    assert one.ear.heard == ["01HXY7Z1", "alone", "again"]
    assert other.ear.heard == ["01HXY7Z1", "again"]
    assert one.backplane.counts.reconnects == 2
    # Its old numbers are other people's now.
    assert "cmdstat_client|kill" not in own_redis.ask("INFO", "commandstats")


def test_while_nothing_is_heard_everything_is_doubted_again_and_again(
    hire: Hire, own_redis: RedisServer
) -> None:
    worker = hire()
    own_redis.kill()
    until(lambda: not worker.hears)
    before = worker.ear.doubts_all
    until(lambda: worker.ear.doubts_all >= before + 3)
    own_redis.start()
    both_hear(worker)
    after = worker.ear.doubts_all
    assert worker.broadcast(toast()) == [Confirmation(1, 1, complete=True)]
    assert worker.ear.doubts_all <= after + 1


def test_a_subscriber_that_redis_cuts_comes_back_and_doubts_everything(
    hire: Hire, own_redis: RedisServer
) -> None:
    one, other = hire(), hire()
    before = (one.ear.doubts_all, other.ear.doubts_all)
    assert own_redis.ask("CLIENT", "KILL", "TYPE", "pubsub") == 2
    until(lambda: one.ear.doubts_all > before[0] and other.ear.doubts_all > before[1])
    both_hear(one, other)
    assert one.broadcast(toast()) == BOTH


def cut(worker: Worker, event: Event) -> list[Confirmation]:
    """End the connection over which a worker speaks, and publish before there is another."""

    def publish() -> Pending:
        worker.broker._pump._line.break_off("cut")
        return worker.backplane.broadcast([event])

    return worker.runtime.ask(publish).wait(PATIENCE)


def test_what_did_not_reach_redis_the_others_read(hire: Hire) -> None:
    one, other, third = hire(), hire(), hire(["user:u2"])
    for worker in (one, other, third):
        worker.ear.doubts.clear()
    assert cut(one, toast(seq=1, epoch="e1")) == ALONE
    until(lambda: other.ear.doubts == [["user:u1"]])
    assert one.broadcast(toast(id="then")) == BOTH
    assert other.ear.doubts == [["user:u1"]], "told once"
    assert third.ear.doubts == [], "of a route that nobody is on here there is nothing to read"


def test_of_a_control_that_did_not_reach_redis_there_is_nothing_to_read(hire: Hire) -> None:
    one, other = hire(), hire()
    other.ear.doubts.clear()
    cut(one, control())
    assert cut(one, toast(seq=1, epoch="e1")) == ALONE
    until(lambda: other.ear.doubts)
    assert other.ear.doubts == [["user:u1"]]


def test_what_could_not_be_said_is_not_tried_again_at_each_publish(
    hire: Hire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "TICK_SECONDS", 3600)
    worker = hire()
    told: list[int] = []
    monkeypatch.setattr(worker.broker._unsaid, "tell", lambda: told.append(1))
    for _ in range(10):
        worker.broadcast(toast())
    assert told == []
    worker.runtime.ask(worker.broker._tick)
    assert told == [1]


def test_now_and_then_everything_is_looked_at_though_nothing_is_wrong(
    hire: Hire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "LOOK_TICKS", 2)
    worker = hire()
    before = worker.ear.doubts_all
    until(lambda: worker.ear.doubts_all >= before + 2)
    assert worker.backplane.counts.reconnects == 0


def test_a_paused_redis_holds_up_nobody(hire: Hire, own_redis: RedisServer) -> None:
    one, other = hire(), hire()
    own_redis.pause()
    started = time.monotonic()
    assert one.broadcast(toast(id="paused"), seconds=0.1) == ALONE
    assert time.monotonic() - started < 0.1 + 2
    assert one.ear.heard == ["paused"]
    until(lambda: one.backplane.trouble)
    own_redis.resume()
    both_hear(one, other)
    assert one.broadcast(toast(id="resumed")) == BOTH
    assert one.ear.heard == ["paused", "resumed"]


@pytest.fixture
def proxy(own_redis: RedisServer) -> Iterator[Proxy]:
    with Proxy(("127.0.0.1", own_redis.port)) as proxy:
        yield proxy


def test_a_partition_without_an_end_is_noticed(
    hire: Hire, own_redis: RedisServer, proxy: Proxy
) -> None:
    one, cut = hire(), hire(redis_url=f"redis://{proxy.host}/0")
    doubts = cut.ear.doubts_all
    proxy.hold()
    until(lambda: not cut.hears)
    until(lambda: cut.backplane.trouble)
    assert proxy.held > 0
    assert one.broadcast(toast(id="missed"), seconds=0.05)[0].written == 1
    proxy.heal()
    both_hear(one, cut)
    assert cut.ear.doubts_all > doubts
    assert one.broadcast(toast()) == BOTH


def test_of_a_worker_that_came_back_redis_counts_no_ghost(
    hire: Hire, own_redis: RedisServer, proxy: Proxy
) -> None:
    # Redis has not noticed that the first connection is dead, and would count it in every PUBLISH.
    worker = hire(redis_url=f"redis://{proxy.host}/0")
    proxy.hold("down")
    until(lambda: not worker.hears)
    proxy.heal()
    both_hear(worker)
    assert own_redis.ask("INFO", "commandstats")["cmdstat_client|kill"]["calls"] == 1
    channel = worker.broker._everybody
    until(lambda: own_redis.ask("PUBSUB", "NUMSUB", channel)[1] == 1)
    assert worker.broadcast(toast()) == [Confirmation(1, 1, complete=True)]


def test_who_is_about_to_come_back_is_not_taken_for_nobody(
    hire: Hire, own_redis: RedisServer, proxy: Proxy
) -> None:
    # Else its clients would be sent a push while they look at the page.
    one, away = hire([]), hire(redis_url=f"redis://{proxy.host}/0")
    proxy.refuse()
    until(lambda: not away.hears)
    assert one.broadcast(toast()) == [Confirmation()]
    proxy.heal()
    both_hear(one, away)
    assert one.broadcast(toast()) == [Confirmation(1, 1, complete=True)]


def test_redis_forgets_everything_and_its_workers_come_back_one_by_one(
    hire: Hire, own_redis: RedisServer, proxy: Proxy
) -> None:
    one, late = hire([]), hire(redis_url=f"redis://{proxy.host}/0")
    proxy.refuse()
    own_redis.restart()
    until(lambda: one.hears and one.backplane.trouble is None)
    assert one.broadcast(toast()) == [Confirmation()]
    proxy.heal()
    both_hear(one, late)
    assert one.broadcast(toast()) == [Confirmation(1, 1, complete=True)]


def test_a_cut_in_the_middle_of_a_reply_is_no_other_reply(
    hire: Hire, own_redis: RedisServer, proxy: Proxy
) -> None:
    one, cut = hire(), hire(redis_url=f"redis://{proxy.host}/0")
    for number in range(6):
        proxy.cut_after(40 + 23 * number)
        until(lambda: proxy.cuts or cut.broadcast(toast(id="x"), seconds=0.01) is None)
        proxy.cuts = 0
        proxy.heal()
    both_hear(one, cut)
    assert cut.broadcast(toast(id="whole")) == BOTH


def test_out_of_memory_redis_still_tells(hire: Hire, own_redis: RedisServer) -> None:
    one, _ = hire(), hire()
    own_redis.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    own_redis.ask("CONFIG", "SET", "maxmemory", "1")
    with pytest.raises(Exception, match="maxmemory"):
        own_redis.ask("SET", "key", "value")
    assert one.broadcast(toast()) == BOTH


def test_a_redis_that_is_busy_with_a_script_holds_up_nobody(
    hire: Hire, own_redis: RedisServer
) -> None:
    one, other = hire(), hire()
    own_redis.ask("CONFIG", "SET", "lua-time-limit", "20")
    script = threading.Thread(target=_run_for_ever, args=(own_redis,))
    script.start()
    until(
        lambda: "BUSY" in str(one.backplane.trouble) or one.broadcast(toast(), seconds=0.02) == []
    )
    own_redis.ask("SCRIPT", "KILL")
    script.join()
    both_hear(one, other)
    assert one.broadcast(toast()) == BOTH


def _run_for_ever(server: RedisServer) -> None:
    with pytest.raises(ResponseError):
        server.ask("EVAL", "while true do end", 0)


def test_a_user_of_redis_who_may_not_subscribe_is_told_of_it(
    hire: Hire, own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "KEPT_TICKS", 1000)  # nothing is forgotten
    own_redis.ask("ACL", "SETUSER", "half", "on", ">secret", "~*", "&*", "+@all", "-subscribe")
    url = f"redis://half:secret@127.0.0.1:{own_redis.port}/0"
    other, worker = hire(), hire(wait=False, redis_url=url)
    until(lambda: worker.backplane.trouble and worker.broker._pump.is_open)
    started = time.monotonic()
    assert worker.broadcast(toast()) == ALONE
    assert time.monotonic() - started < 15  # it hears no answers, so it waits for none
    until(lambda: other.ear.heard == ["01HXY7Z1"])
    assert "subscribe" in str(worker.backplane.trouble)
    assert "secret" not in str(worker.backplane.trouble)


def test_a_user_of_redis_who_is_refused_asks_ever_less_often_and_is_told_once(
    hire: Hire, own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    own_redis.ask("ACL", "SETUSER", "half", "on", ">secret", "~*", "&*", "+@all", "-subscribe")
    worker = hire(wait=False, redis_url=f"redis://half:secret@127.0.0.1:{own_redis.port}/0")
    worker.broadcast(toast())
    began = worker.backplane.counts.reconnects
    until(lambda: worker.backplane.counts.reconnects > began + 6)
    assert worker.broker._listener._line._failures > 5
    assert [each.message for each in caplog.records if "answers again" in each.message] == []
    own_redis.ask("ACL", "SETUSER", "half", "+subscribe")
    until(lambda: worker.hears and worker.backplane.trouble is None)
    assert worker.broker._listener._line._failures == 0


def test_a_user_of_redis_who_may_not_publish_is_told_of_it(
    hire: Hire, own_redis: RedisServer
) -> None:
    own_redis.ask("ACL", "SETUSER", "half", "on", ">secret", "~*", "&*", "+@all", "-publish")
    worker = hire(wait=False, redis_url=f"redis://half:secret@127.0.0.1:{own_redis.port}/0")
    assert worker.broadcast(toast()) == ALONE
    assert "PUBLISH" in str(worker.backplane.trouble)
    # It hears, but whether it hears everything it cannot know.
    until(lambda: worker.hears and worker.ear.doubts_all > 3)


def test_a_user_of_redis_who_may_not_count_is_told_of_it(
    hire: Hire, own_redis: RedisServer
) -> None:
    own_redis.ask("ACL", "SETUSER", "half", "on", ">secret", "~*", "&*", "+@all", "-pubsub")
    worker = hire(wait=False, redis_url=f"redis://half:secret@127.0.0.1:{own_redis.port}/0")
    assert worker.broadcast(toast()) == ALONE
    assert "PUBSUB" in str(worker.backplane.trouble)
    own_redis.ask("ACL", "SETUSER", "half", "+pubsub")
    assert worker.broadcast(toast()) == [Confirmation(1, 1, complete=True)]
    assert worker.backplane.trouble is None


def test_a_wrong_password_is_told_and_not_shown(hire: Hire, own_redis: RedisServer) -> None:
    own_redis.ask("ACL", "SETUSER", "half", "on", ">secret", "~*", "&*", "+@all")
    worker = hire(None, redis_url=f"redis://half:wr0ng@127.0.0.1:{own_redis.port}/0")
    assert worker.broadcast(toast()) == [Confirmation()]
    assert "wr0ng" not in str(worker.backplane.trouble)


def test_what_keeps_it_away_is_told_again_when_it_is_something_else(
    hire: Hire, own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    def told() -> list[str]:
        return [each.getMessage() for each in caplog.records if "Redis at" in each.getMessage()]

    with Proxy(("127.0.0.1", own_redis.port)) as proxy:
        hire(redis_url=f"redis://{proxy.host}/0")
        proxy.refuse()
        until(told)
        own_redis.ask("CONFIG", "SET", "requirepass", "sesame")
        proxy.heal()
        until(lambda: len(told()) == 2)
        assert ["Authentication required" in each for each in told()] == [False, True]
        with Redis(port=own_redis.port, password="sesame", protocol=2) as client:
            client.config_set("requirepass", "")
        until(lambda: len(told()) == 3)
        assert "answers again" in told()[2]


GARBAGE = (b"", b"\xff\x00", b"{", b"[]", b"null", b'{"v":1}', b"[" * 5000, b'"' + b"a" * 300_000)


def test_garbage_on_every_channel_is_dropped_and_counted(
    hire: Hire, own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = hire(["user:u1"]), hire(["user:u1"])
    channels = [other.broker._own, other.broker._workers, other.broker._everybody]
    channels.append(other.keys.channel("user:u1").encode())
    before = list(other.ear.heard)
    stalls = _watch_loop(other.runtime)
    sent = _publish_garbage(own_redis, channels, 10_000)
    until(lambda: other.backplane.counts.dropped.total() == sent)
    assert stalls()[0] < 0.2 + 1.0  # of a machine that others use, too
    assert other.ear.heard == before
    assert one.broadcast(toast()) == BOTH
    assert other.hears
    assert len([each for each in caplog.records if "none of ours" in each.message]) == 2


def _publish_garbage(server: RedisServer, channels: list[bytes], many: int) -> int:
    with Redis(port=server.port, protocol=2, socket_timeout=PATIENCE) as client:
        pipeline = client.pipeline(transaction=False)
        sent = 0
        for channel in channels:
            for number in range(many):
                garbage = GARBAGE[number % (len(GARBAGE) - (number % 500 != 7))]
                pipeline.publish(channel, garbage + (b" " if garbage else b"") * (number % 3))
                sent += 1
            pipeline.execute()
    return sent


def _watch_loop(runtime: Runtime) -> Callable[[], list[float]]:
    """Note how long the loop had no time for a timer."""
    worst, over, last = [0.0], [False], [time.monotonic()]

    def tick() -> None:
        now = time.monotonic()
        worst[0] = max(worst[0], now - last[0] - 0.01)
        last[0] = now
        if not over[0]:
            runtime.call_later(0.01, tick)

    def stop() -> list[float]:
        over[0] = True
        return worst

    runtime.call_later(0.01, tick)
    return stop


def test_an_event_of_another_route_is_not_told_on_this_one(
    hire: Hire, own_redis: RedisServer
) -> None:
    worker = hire(["user:u1", "user:u2"])
    own_redis.ask("PUBLISH", worker.keys.channel("user:u1"), pack(toast("u2")))
    until(lambda: worker.backplane.counts.dropped["wrong_route"] == 1)
    assert worker.ear.heard == []


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        (b'"data":{"title":"Hello"', b'"data":{"title":7', "wrong_data"),
        (b'"reply_to":null', b'"reply_to":"you/1"', "wrong_shape"),
        (b'"reply_to":null', b'"reply_to":"0123456789abcdef/1e3"', "wrong_shape"),
    ],
)
def test_what_is_almost_a_toast_is_not_told_and_not_answered(
    hire: Hire, own_redis: RedisServer, field: bytes, value: bytes, reason: str
) -> None:
    worker = hire()
    payload = pack(toast())[:-1] + b',"reply_to":null}'
    assert field in payload
    own_redis.ask("PUBLISH", worker.keys.channel("user:u1"), payload.replace(field, value))
    until(lambda: worker.backplane.counts.dropped[reason] == 1)
    assert worker.ear.heard == []
    own_redis.ask("PUBLISH", worker.keys.channel("user:u1"), payload)
    until(lambda: worker.ear.heard)


def test_who_watches_redis_is_not_waited_for(hire: Hire, own_redis: RedisServer) -> None:
    # An operator's tool: it hears everything and answers nothing, and no push may wait for it.
    one, script, _ = hire(), hire(None), hire()
    assert script.broadcast(toast()) == BOTH
    with Redis(port=own_redis.port, protocol=2) as client, client.pubsub() as watch:
        watch.psubscribe("*")
        until(watch.get_message)
        for each in (one, script):
            until(lambda each=each: each.broker._speaking.watched)
            assert each.broadcast(toast()) == BOTH
            assert each.broadcast(toast("u2")) == [Confirmation(complete=True)]
    until(lambda: not one.broker._speaking.watched)


def test_a_storm_of_hellos_is_greeted_once_a_turn(
    hire: Hire, own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every greeting is heard by every worker: one for each hello would be a storm of its own.
    worker, said = hire(), []
    with monkeypatch.context() as patch, Redis(port=own_redis.port, protocol=2) as client:
        patch.setattr(worker.broker, "_notify", said.append)
        pipeline = client.pipeline(transaction=False)
        for _ in range(3000):
            pipeline.publish(worker.broker._workers, encode(Beat("0" * 16, hello=True)))
        pipeline.publish(worker.keys.channel("user:u1"), pack(toast()))
        pipeline.execute()
        until(lambda: worker.ear.heard)
    assert 1 <= len(said) < 1000


def test_whatever_goes_wrong_with_one_message_the_next_one_is_heard(
    hire: Hire, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = hire([]), hire()

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(other.ear, "hear", fail)
        other.backplane.heed(fail)
        one.backplane.dismiss(Dismissal("u1"))
        assert one.broadcast(toast(), seconds=0.1) == [Confirmation()]
        until(lambda: "could not be told" in caplog.text and "could not be taken" in caplog.text)
    assert one.broadcast(toast()) == [Confirmation(1, 1, complete=True)]


# Forks and ends


def test_closed_while_it_connects_it_does_not_connect(
    hire: Hire, own_redis: RedisServer, proxy: Proxy
) -> None:
    proxy.delay(0.05)
    worker = hire(wait=False, redis_url=f"redis://{proxy.host}/0")
    until(lambda: proxy.came == 2)
    worker.backplane.close()
    proxy.heal()
    until(lambda: proxy.connections == 0)
    assert not worker.hears
    assert own_redis.clients("pubsub") == []


def test_a_forked_child_begins_anew_and_leaves_its_parent_alone(hire: Hire) -> None:
    parent = hire()
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(there, _told_by_child(parent))
        finally:
            os._exit(0)
    os.close(there)
    until(lambda: os.waitpid(child, os.WNOHANG)[0])
    with os.fdopen(here, "rb") as reading:
        assert msgspec.json.decode(reading.read(), type=list[Confirmation]) == BOTH
    until(lambda: parent.peers == 0)
    assert parent.broadcast(toast(id="after")) == [Confirmation(1, 1, complete=True)]
    assert parent.ear.heard == ["01HXY7Z1", "after"]
    assert parent.backplane.counts.reconnects == 0


def _told_by_child(worker: Worker) -> bytes:
    parent = worker.broker._worker
    worker.backplane.abandon()
    assert worker.broker._worker != parent
    worker.backplane.serve()
    worker.join("user:u1")
    until(lambda: worker.hears and worker.peers == 1)
    told = worker.broadcast(toast())
    worker.backplane.close()
    return msgspec.json.encode(told)


def test_closing_while_redis_is_paused_takes_no_longer_than_it_may_take_to_answer(
    hire: Hire, own_redis: RedisServer
) -> None:
    worker = hire()
    own_redis.pause()
    started = time.monotonic()
    worker.backplane.close()
    assert time.monotonic() - started < 0.3 + 2
    own_redis.resume()


def test_a_backplane_that_nobody_holds_gives_its_connections_back(
    runtime: Runtime, config: Config, own_redis: RedisServer
) -> None:
    backplane = RedisBackplane(config, runtime, SystemClock())
    backplane.serve()
    until(lambda: own_redis.clients("pubsub"))
    del backplane
    gc.collect()
    until(lambda: not own_redis.clients("pubsub"))


def test_a_dismissal_while_redis_is_away_is_lost_without_a_word(
    hire: Hire, own_redis: RedisServer
) -> None:
    own_redis.kill()
    worker = hire(wait=False)
    worker.broadcast(toast())
    worker.backplane.dismiss(Dismissal("u1"))
    assert worker.broadcast(toast()) == ALONE
