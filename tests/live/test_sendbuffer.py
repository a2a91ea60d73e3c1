"""Frames leave in order, whole or not at all; an event is answered exactly once."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toastkit.live import SendBuffer, Tally


class Answers(list[tuple[int, int]]):
    def __call__(self, written: int, present: int) -> None:
        self.append((written, present))


def sink(buffer: bytearray, takes: list[int]) -> Any:
    """Return a write that takes each number of bytes in turn, then nothing."""
    left = iter(takes)

    def write(data: bytes | memoryview) -> int:
        count = min(next(left, 0), len(data))
        buffer.extend(data[:count])
        return count

    return write


def test_tally_without_waiting_answers_when_sealed() -> None:
    answers = Answers()
    tally = Tally(answers)
    tally.written, tally.present = 2, 3
    assert answers == []
    tally.seal()
    assert answers == [(2, 3)]


@pytest.mark.parametrize("order", sorted(set(itertools.permutations(["went", "lost", "seal"]))))
def test_tally_answers_exactly_once_in_every_order(order: tuple[str, ...]) -> None:
    answers = Answers()
    tally = Tally(answers)
    tally.present = 2
    tally.wait()
    tally.wait()
    for step in order:
        assert answers == []
        getattr(tally, step)()
    assert answers == [(1, 1)]


def test_frames_leave_in_order() -> None:
    buffer, out = SendBuffer(0), bytearray()
    for frame in (b"one", b"two", b"three"):
        buffer.push(frame)
    assert buffer.flush(sink(out, [99] * 3), now=0)
    assert out == b"onetwothree"
    assert (len(buffer), buffer.size) == (0, 0)


def test_a_full_socket_is_no_progress() -> None:
    buffer = SendBuffer(0)
    buffer.push(b"one")
    assert not buffer.flush(sink(bytearray(), []), now=0)
    assert (len(buffer), buffer.size) == (1, 3)


def test_size_counts_bytes_that_wait() -> None:
    buffer, out = SendBuffer(0), bytearray()
    buffer.push(b"0123456789")
    buffer.begun(4)
    assert buffer.size == 6
    buffer.flush(sink(out, [2]), now=0)
    assert (buffer.size, out) == (4, b"45")


def test_expired_frames_are_dropped_and_told_lost() -> None:
    buffer, out, answers = SendBuffer(0), bytearray(), Answers()
    tally = Tally(answers)
    tally.present = 1
    buffer.push(b"old", tally, expires_at=10)
    buffer.push(b"new", expires_at=11)
    tally.seal()
    buffer.flush(sink(out, [99] * 3), now=10)
    assert out == b"new"
    assert answers == [(0, 0)]
    assert buffer.size == 0


def test_an_expired_frame_whose_first_bytes_are_out_is_finished() -> None:
    buffer, out = SendBuffer(0), bytearray(b"hal")
    buffer.push(b"half", expires_at=10)
    buffer.begun(3)
    buffer.flush(sink(out, [99]), now=99)
    assert out == b"half"


def test_discard_keeps_a_begun_frame_and_loses_the_rest() -> None:
    buffer, out = SendBuffer(0), bytearray(b"b")
    first, second = Answers(), Answers()
    for frame, answers in ((b"begun", first), (b"waiting", second)):
        tally = Tally(answers)
        tally.present = 1
        buffer.push(frame, tally)
        tally.seal()
    buffer.begun(1)
    buffer.discard(keep_begun=True)
    assert (first, second, buffer.size) == ([], [(0, 0)], 4)
    buffer.flush(sink(out, [99]), now=0)
    assert (out, first) == (b"begun", [(1, 1)])


def test_discard_of_everything_loses_the_begun_frame_too() -> None:
    buffer, answers = SendBuffer(0), Answers()
    tally = Tally(answers)
    tally.present = 1
    buffer.push(b"begun", tally)
    tally.seal()
    buffer.begun(1)
    buffer.discard(keep_begun=False)
    assert (answers, len(buffer), buffer.size) == ([(0, 0)], 0, 0)


def test_a_gone_socket_is_told() -> None:
    def write(data: bytes | memoryview) -> int:
        raise ConnectionResetError

    buffer = SendBuffer(0)
    buffer.push(b"one")
    with pytest.raises(ConnectionResetError):
        buffer.flush(write, now=0)


frames = st.lists(
    st.tuples(st.binary(min_size=1, max_size=20), st.none() | st.integers(0, 20)), max_size=12
)


@given(frames, st.lists(st.integers(0, 25), max_size=40), st.integers(0, 30))
def test_whatever_is_taken_the_stream_is_whole_frames_in_order(
    given_frames: list[tuple[bytes, int | None]], takes: list[int], drop_at: int
) -> None:
    """Partial writes, expiry and a slow consumer's end never tear or reorder a frame."""
    buffer, out, answers = SendBuffer(0), bytearray(), Answers()
    for frame, expires_at in given_frames:
        tally = Tally(answers)
        tally.present = 1
        buffer.push(frame, tally, expires_at)
        tally.seal()
    for now, count in enumerate(takes):
        if now == drop_at:
            buffer.discard(keep_begun=True)
        buffer.flush(sink(out, [count]), now)
        assert buffer.size >= 0
    buffer.flush(sink(out, [99] * 12), now=99)
    assert (len(buffer), buffer.size) == (0, 0)
    assert len(answers) == len(given_frames)
    assert set(answers) <= {(1, 1), (0, 0)}
    assert _whole(bytes(out), given_frames)


def _whole(stream: bytes, given_frames: list[tuple[bytes, int | None]]) -> bool:
    """Tell whether a stream is a subsequence of whole frames, the order kept."""
    reached = {0}
    for frame, _ in given_frames:
        reached |= {at + len(frame) for at in reached if stream.startswith(frame, at)}
    return len(stream) in reached
