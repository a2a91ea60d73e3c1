"""Whatever holds what a forked child must not use is told of the fork."""

from __future__ import annotations

import logging

import pytest

from toastkit.runtime import Living


class Thing:
    """Remember that it was told; perhaps fail at that."""

    def __init__(self, error: Exception | None = None) -> None:
        self.told = False
        self._error = error

    def _forked(self) -> None:
        self.told = True
        if self._error is not None:
            raise self._error


def test_one_that_fails_keeps_no_other_from_being_told(caplog: pytest.LogCaptureFixture) -> None:
    living: Living[Thing] = Living()
    things = [Thing(OSError("no more files")) for _ in range(3)]
    for thing in things:
        living.add(thing)
    with caplog.at_level(logging.ERROR):
        living._tell()
    assert all(thing.told for thing in things)
    assert caplog.text.count("no more files") == 3
