"""A farewell is heard wherever it begins and ends, and nothing else is lost."""

from __future__ import annotations

import pytest
from h2.exceptions import FrameTooLargeError
from hyperframe.frame import DataFrame, GoAwayFrame, PingFrame

from toastkit.senders.apns.goaway import GoAway, GoAwayFrames

pytestmark = pytest.mark.plain

PING = PingFrame(0, b"12345678").serialize()
DATA = DataFrame(3, b"x" * 5000).serialize()
GOAWAY = GoAwayFrame(0, 7, 2, b'{"reason":"Shutdown"}').serialize()
SAID = GoAway(7, 2, '{"reason":"Shutdown"}')


def test_it_is_taken_out() -> None:
    assert GoAwayFrames().split(PING + GOAWAY + DATA) == (PING + DATA, [SAID])


def test_it_may_come_in_any_pieces() -> None:
    whole = PING + GOAWAY + DATA + GOAWAY + PING
    for size in (1, 7, 9, 13, 1000):
        frames, rest, found = GoAwayFrames(), b"", []
        for at in range(0, len(whole), size):
            said, more = frames.split(whole[at : at + size])
            rest, found = rest + said, found + more
        assert (rest, found) == (PING + DATA + PING, [SAID, SAID])


def test_what_is_too_large_is_refused_by_its_head() -> None:
    with pytest.raises(FrameTooLargeError):
        GoAwayFrames().split(PING + (16_385).to_bytes(3, "big") + bytes(6))


def test_words_that_are_no_text_are_left_out() -> None:
    frame = GoAwayFrame(0, 1, 0, b"a\r\nb").serialize()
    assert GoAwayFrames().split(frame) == (b"", [GoAway(1, 0)])


def test_one_that_is_too_short_to_be_one_is_left_to_h2() -> None:
    frame = bytes([0, 0, 4, 7, 0, 0, 0, 0, 0]) + bytes(4)
    assert GoAwayFrames().split(frame + PING) == (frame + PING, [])
