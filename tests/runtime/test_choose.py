import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from toastkit.runtime import ThreadsRuntime, choose, gevent_is_in_charge, runtime_for

pytestmark = pytest.mark.plain


def test_a_setting_is_kept():
    assert runtime_for("threads").name == "threads"
    assert runtime_for("gevent").name == "gevent"


def test_importing_gevent_alone_decides_nothing():
    assert not gevent_is_in_charge()
    assert runtime_for("auto").name == "threads"


def test_auto_is_decided_at_the_first_use():
    program = """
import sys
from toastkit.runtime import runtime_for
kits = [runtime_for("auto") for _ in range(2)]
assert "gevent" not in sys.modules
assert kits[0].name == "threads"
from gevent import monkey
monkey.patch_all()
assert kits[0].name == "threads"
assert kits[1].name == "gevent"
assert kits[1].ask(kits[1].on_loop)
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, timeout=50)


def test_two_threads_that_are_first_at_once_get_the_same(monkeypatch: pytest.MonkeyPatch):
    both = threading.Barrier(2, timeout=10)

    class Slow(ThreadsRuntime):
        def __init__(self) -> None:
            both.wait()
            super().__init__()

    monkeypatch.setattr(choose, "ThreadsRuntime", Slow)
    runtime: Any = runtime_for("auto")
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: runtime.call.__self__, range(2)))
    assert found[0] is found[1]
