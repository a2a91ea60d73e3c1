"""What gevent's runtime does that threads need not: greenlets come along into a forked child."""

import subprocess
import sys

import pytest

FORK = """
import os, sys, time
from gevent import monkey; monkey.patch_all()
import gevent
from toastkit.runtime.gevent import GeventRuntime
runtime, went_on = GeventRuntime(), []
{waiter}
gevent.spawn(waiter)
gevent.sleep(0)
{ready}
pid = os.fork()
gevent.sleep(0.1)
if not pid:
    os._exit(len(went_on))
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) or went_on != ["here"])
"""

SIGNAL = """
signal = runtime.signal()
def waiter():
    signal.wait({seconds})
    went_on.append("here")
"""

OFFLOAD = """
def waiter():
    runtime.offload(lambda: None)
    went_on.append("here")
"""

BREATHE = """
def waiter():
    runtime.breathe()
    went_on.append("here")
"""


@pytest.mark.plain
@pytest.mark.parametrize(
    ("waiter", "ready"),
    [
        (SIGNAL.format(seconds=""), "signal.set()"),
        (SIGNAL.format(seconds="5"), "signal.set()"),
        # Without the loop, which must find the answer in both: the job is done when it is forked.
        (OFFLOAD, "monkey.get_original('time', 'sleep')(0.1)"),
        (BREATHE, ""),
    ],
    ids=["signal", "timeout", "offload", "breathe"],
)
def test_who_waited_when_it_was_forked_goes_on_in_the_parent_alone(waiter: str, ready: str) -> None:
    program = FORK.format(waiter=waiter, ready=ready)
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, timeout=50)
