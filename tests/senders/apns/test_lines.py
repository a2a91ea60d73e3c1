"""One line to each host; whoever comes while it is made waits for the same."""

from __future__ import annotations

import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from toastkit.senders.apns.faults import Unreachable
from toastkit.senders.apns.line import Line
from toastkit.senders.apns.lines import Lines


def test_many_wait_for_one_attempt_and_each_hears_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that is shared grows with everybody who raises it."""
    came, there, attempts = threading.Semaphore(0), threading.Event(), []

    def connect(host: str, *_: Any) -> Line:
        attempts.append(host)
        there.wait(5)
        raise Unreachable(f"{host}: nobody")

    monkeypatch.setattr(Line, "connect", connect)
    lines = Lines(ssl.create_default_context(), 5)

    def ask() -> BaseException:
        came.release()
        with pytest.raises(Unreachable, match="host: nobody") as raised:
            lines.line("host")
        return raised.value

    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(ask) for _ in range(8)]
        for _ in asked:
            assert came.acquire(timeout=5)
        there.set()
        heard = {id(each.result()) for each in asked}
    assert len(heard) == 8
    assert 1 <= len(attempts) < 8
