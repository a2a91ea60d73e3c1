"""What every runtime promises; both in a plain interpreter, gevent's in a patched one."""

import logging
import socket
import time

import pytest
from gevent import monkey

from toastkit.runtime import gevent_is_in_charge, runtime_for

start_native = monkey.get_original("_thread", "start_new_thread")


# Where gevent has replaced threading, the other runtime would be made of greenlets.
RUNTIMES = ["gevent"] if gevent_is_in_charge() else ["threads", "gevent"]


@pytest.fixture(params=RUNTIMES)
def runtime(request):
    runtime = runtime_for(request.param)
    yield runtime
    runtime.close()


def done(runtime, signal):
    return signal.wait(5) or pytest.fail("it never happened")


def on_the_loop(runtime, job):
    """Run a job in a loop callback and wait for it."""
    happened = runtime.signal()
    runtime.call(job)
    runtime.call(happened.set)
    done(runtime, happened)


def natively(runtime, job):
    """Run a job in a thread that is neither the loop's nor a greenlet."""
    happened = runtime.signal()

    def run():
        job()
        happened.set()

    start_native(run, ())
    done(runtime, happened)


def test_calls_run_on_the_loop_in_their_order(runtime):
    seen = []
    for number in range(100):
        runtime.call(lambda number: seen.append((number, runtime.on_loop())), number)
    on_the_loop(runtime, lambda: None)
    assert seen == [(number, True) for number in range(100)]


def test_a_call_of_a_call_runs_later(runtime):
    seen, happened = [], runtime.signal()

    def outer():
        runtime.call(lambda: (seen.append("inner"), happened.set()))
        seen.append("outer")

    runtime.call(outer)
    done(runtime, happened)
    assert seen == ["outer", "inner"]


def test_calls_come_from_native_threads_in_their_order(runtime):
    seen = []
    natively(runtime, lambda: [runtime.call(seen.append, number) for number in range(500)])
    on_the_loop(runtime, lambda: None)
    assert seen == list(range(500))


def test_a_native_thread_is_not_on_the_loop(runtime):
    seen = []
    natively(runtime, lambda: seen.append(runtime.on_loop()))
    assert seen == [False]


def test_an_exception_in_a_call_is_logged_and_ends_nothing(runtime, caplog):
    runtime.call(lambda: 1 / 0)
    on_the_loop(runtime, lambda: None)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert caplog.records[0].exc_info[0] is ZeroDivisionError


def test_ask_returns_what_the_loop_says(runtime):
    assert runtime.ask(lambda: (runtime.on_loop(), "yes")) == (True, "yes")


def test_ask_raises_what_the_job_raises(runtime):
    with pytest.raises(ZeroDivisionError):
        runtime.ask(lambda: 1 / 0)


def test_ask_works_from_a_native_thread_and_from_the_loop(runtime):
    seen = []
    natively(runtime, lambda: seen.append(runtime.ask(runtime.on_loop)))
    on_the_loop(runtime, lambda: seen.append(runtime.ask(lambda: "at once")))
    assert seen == [True, "at once"]


def test_timers_fire_in_the_order_of_their_times_not_before(runtime):
    seen, happened, began = [], runtime.signal(), time.monotonic()
    runtime.call_later(0.06, lambda: (seen.append("late"), happened.set()))
    runtime.call_later(0.02, lambda: seen.append("early"))
    done(runtime, happened)
    assert seen == ["early", "late"]
    assert time.monotonic() - began >= 0.06


def test_a_timer_counts_from_now_even_at_the_end_of_a_long_turn(runtime):
    seen, happened = [], runtime.signal()

    def long_turn():
        end = time.perf_counter() + 0.08
        while time.perf_counter() < end:
            pass
        began = time.perf_counter()
        runtime.call_later(0.05, lambda: (seen.append(time.perf_counter() - began), happened.set()))

    runtime.call(long_turn)
    done(runtime, happened)
    assert seen[0] >= 0.045


def test_a_cancelled_timer_never_fires(runtime):
    seen, happened = [], runtime.signal()
    timer = runtime.call_later(0.2, lambda: seen.append("fired"))  # a thread starts before that
    natively(runtime, timer.cancel)
    runtime.call_later(0.25, happened.set)
    done(runtime, happened)
    timer.cancel()
    assert seen == []


def test_a_timer_may_be_set_from_a_native_thread(runtime):
    happened = runtime.signal()
    natively(runtime, lambda: runtime.call_later(0.01, happened.set))
    done(runtime, happened)


def test_an_exception_in_a_timer_is_logged(runtime, caplog):
    happened = runtime.signal()
    runtime.call_later(0.0, lambda: 1 / 0)
    runtime.call_later(0.02, happened.set)
    done(runtime, happened)
    assert caplog.records[0].exc_info[0] is ZeroDivisionError


def test_a_spawned_job_may_block_and_be_spawned_from_anywhere(runtime):
    first, second, both = runtime.signal(), runtime.signal(), runtime.signal()

    def waits():
        first.wait(5)
        second.set()

    on_the_loop(runtime, lambda: runtime.spawn(waits))
    natively(runtime, lambda: runtime.spawn(first.set))
    runtime.spawn(lambda: (second.wait(5), both.set()))
    done(runtime, both)


def test_an_exception_in_a_spawned_job_is_logged(runtime, caplog):
    happened = runtime.signal()

    def fails():
        happened.set()
        raise ZeroDivisionError

    runtime.spawn(fails)
    done(runtime, happened)
    until(runtime, lambda: caplog.records)
    assert caplog.records[0].exc_info[0] is ZeroDivisionError


def until(runtime, condition):
    for _ in range(500):
        if condition():
            return
        pause(runtime, 0.01)
    pytest.fail("it never came true")


def pause(runtime, seconds):
    runtime.signal().wait(seconds)


def test_offload_returns_and_raises_what_the_job_does(runtime, capfd):
    assert runtime.offload(lambda: "result") == "result"
    with pytest.raises(ZeroDivisionError):
        runtime.offload(lambda: 1 / 0)
    assert "Traceback" not in capfd.readouterr().err


def test_offload_does_not_hold_the_loop(runtime):
    nap = monkey.get_original("time", "sleep")
    turns, resting = [], [True]

    def turn():
        turns.append(1)
        if resting:
            runtime.call_later(0.005, turn)

    runtime.call(turn)
    runtime.offload(lambda: nap(0.1))
    resting.clear()
    assert len(turns) > 5


def test_offload_works_from_a_native_thread(runtime):
    seen = []
    natively(runtime, lambda: seen.append(runtime.offload(lambda: "result")))
    assert seen == ["result"]


def test_offload_in_a_loop_callback_is_refused(runtime, caplog):
    on_the_loop(runtime, lambda: runtime.offload(lambda: None))
    assert "would block the loop" in str(caplog.records[0].exc_info[1])


def test_a_thread_of_its_own_does_not_hold_the_loop(runtime):
    held, happened = monkey.get_original("_thread", "allocate_lock")(), runtime.signal()
    held.acquire()
    runtime.thread(lambda: (held.acquire(timeout=10), happened.set()))
    for _ in range(5):
        assert runtime.ask(runtime.on_loop)
        pause(runtime, 0.005)
    assert not happened.wait(0)
    held.release()
    done(runtime, happened)


def test_a_signal_wakes_every_waiter_whoever_sets_it(runtime):
    signal, woken = runtime.signal(), []
    everybody = runtime.signal()

    def wait():
        signal.wait(5)
        woken.append(1)
        if len(woken) == 4:
            everybody.set()

    for _ in range(3):
        runtime.spawn(wait)
    start_native(wait, ())
    pause(runtime, 0.02)
    assert not signal.wait(0)
    natively(runtime, signal.set)
    done(runtime, everybody)
    assert signal.wait(0)


def test_waiting_gives_up_after_its_time(runtime):
    began = time.monotonic()
    assert not runtime.signal().wait(0.03)
    assert 0.03 <= time.monotonic() - began < 5
    seen = []
    natively(runtime, lambda: seen.append(runtime.signal().wait(0.03)))
    assert seen == [False]


def test_waiting_without_end_is_ended_by_a_native_thread(runtime):
    signal = runtime.signal()
    start_native(lambda: (monkey.get_original("time", "sleep")(0.02), signal.set()), ())
    assert signal.wait()


def test_a_watcher_calls_whenever_there_is_something_to_read(runtime):
    here, there = socket.socketpair()
    seen, happened = [], runtime.signal()

    def readable():
        seen.append(here.recv(1))
        if len(seen) == 3:
            watcher.close()
            happened.set()

    here.setblocking(False)
    watcher = runtime.ask(lambda: runtime.watch(here.fileno()))
    there.sendall(b"abc")
    runtime.call(watcher.start, readable)
    done(runtime, happened)
    assert seen == [b"a", b"b", b"c"]
    here.close()
    there.close()


def test_reading_and_writing_are_watched_apart(runtime):
    here, there = socket.socketpair()
    seen = []

    def begin():
        reader, writer = runtime.watch(here.fileno()), runtime.watch(here.fileno(), write=True)
        reader.start(lambda: (seen.append("read"), reader.stop()))
        writer.start(lambda: (seen.append("write"), writer.stop()))
        return reader, writer

    reader, writer = runtime.ask(begin)
    until(runtime, lambda: seen == ["write"])
    there.sendall(b"x")
    until(runtime, lambda: seen == ["write", "read"])
    runtime.call(writer.start, lambda: (seen.append("write"), writer.stop()))
    until(runtime, lambda: seen == ["write", "read", "write"])
    runtime.ask(lambda: (reader.close(), writer.close()))
    here.close()
    there.close()


def test_a_stopped_watcher_is_silent_until_started_again(runtime):
    here, there = socket.socketpair()
    seen = []
    watcher = runtime.ask(lambda: runtime.watch(here.fileno()))
    runtime.ask(lambda: (watcher.start(lambda: seen.append(1)), watcher.stop()))
    there.sendall(b"x")
    pause(runtime, 0.03)
    assert seen == []
    runtime.call(watcher.start, lambda: (seen.append(1), watcher.stop()))
    until(runtime, lambda: seen == [1])
    runtime.ask(watcher.close)
    here.close()
    there.close()


def test_an_exception_in_a_watcher_is_logged_and_ends_nothing(runtime, caplog):
    here, there = socket.socketpair()

    def readable():
        here.recv(1)
        raise ZeroDivisionError

    watcher = runtime.ask(lambda: runtime.watch(here.fileno()))
    runtime.ask(lambda: watcher.start(readable))
    there.sendall(b"xy")
    until(runtime, lambda: len(caplog.records) == 2)
    runtime.ask(watcher.close)
    assert caplog.records[0].exc_info[0] is ZeroDivisionError
    here.close()
    there.close()


def test_breathing_lets_the_others_go_first(runtime):
    seen = []
    natively(runtime, runtime.breathe)
    if runtime.on_loop():
        runtime.spawn(lambda: seen.append("other"))
        runtime.breathe()
        assert seen == ["other"]
