import subprocess
import sys
import threading
import time

import pytest

from toastkit.runtime import ThreadsRuntime

pytestmark = pytest.mark.plain


def test_a_forked_child_has_a_loop_of_its_own():
    program = """
import os, sys
from toastkit.runtime import ThreadsRuntime
runtime = ThreadsRuntime()
assert runtime.ask(runtime.on_loop)
pid = os.fork()
assert runtime.ask(runtime.on_loop)
if pid:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, timeout=50)


def test_closing_ends_the_loop_thread():
    before = threading.active_count()
    runtime = ThreadsRuntime()
    runtime.ask(lambda: None)
    runtime.close()
    runtime.close()
    assert threading.active_count() == before


def test_it_starts_again_after_closing():
    runtime = ThreadsRuntime()
    assert runtime.ask(runtime.on_loop)
    runtime.close()
    assert runtime.ask(runtime.on_loop)
    runtime.close()


def test_it_may_be_closed_on_its_own_loop():
    runtime, gone = ThreadsRuntime(), threading.Event()
    runtime.call(lambda: (runtime.close(), gone.set()))
    assert gone.wait(5)


def test_a_busy_caller_does_not_starve_the_timers():
    runtime, fired = ThreadsRuntime(), threading.Event()

    def again():
        if not fired.is_set():
            runtime.call(again)

    runtime.call(again)
    runtime.call_later(0.02, fired.set)
    assert fired.wait(5)
    runtime.close()


def test_thousands_of_calls_from_many_threads_are_all_run():
    runtime, seen = ThreadsRuntime(), []
    callers = [
        threading.Thread(target=lambda: [runtime.call(seen.append, 1) for _ in range(2000)])
        for _ in range(8)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    runtime.ask(lambda: None)
    assert len(seen) == 16_000
    runtime.close()


def test_what_is_asked_while_it_closes_is_answered():
    runtime, busy, go_on, answers = ThreadsRuntime(), threading.Event(), threading.Event(), []
    runtime.call(lambda: (busy.set(), go_on.wait(10)))
    assert busy.wait(10)
    loop = runtime._loop
    asker = threading.Thread(target=lambda: answers.append(runtime.ask(lambda: 7)), daemon=True)
    asker.start()
    while not loop._calls:
        time.sleep(0.001)
    closer = threading.Thread(target=runtime.close)
    closer.start()
    while not loop._stopping:
        time.sleep(0.001)
    go_on.set()
    closer.join(10)
    asker.join(10)
    assert answers == [7]


def test_a_call_to_a_loop_that_has_ended_runs_at_once():
    runtime, seen = ThreadsRuntime(), []
    runtime.ask(lambda: None)
    loop = runtime._loop
    runtime.close()
    loop.call(seen.append, (1,))
    assert seen == [1]
