"""What waits for a slow reader, in bounds, and who wants to know when it went."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from ..backplane.contract import Answer


class Tally:
    """Count what becomes of one event on this worker, and answer once when that is known.

    A frame that waits in a buffer is neither written nor lost yet: the answer waits for it (the
    publisher waits only as long as it likes).
    """

    __slots__ = ("_answer", "_sealed", "_waiting", "present", "written")

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._sealed = False
        self._waiting = 0
        self.written = 0
        self.present = 0

    def wait(self) -> None:
        """Count one frame that waits."""
        self._waiting += 1

    def went(self) -> None:
        """Count a frame that waited and is now wholly written."""
        self.written += 1
        self._settle()

    def lost(self) -> None:
        """Count a frame that waited and never will be written: that client is not there."""
        self.present -= 1
        self._settle()

    def passed(self) -> None:
        """Wait no longer for a frame that is counted elsewhere now, or is not for this client."""
        self._settle()

    def seal(self) -> None:
        """Say that every connection has been counted."""
        self._sealed = True
        if not self._waiting:
            self._answer(self.written, self.present)

    def _settle(self) -> None:
        self._waiting -= 1
        if self._sealed and not self._waiting:
            self._answer(self.written, self.present)


class SendBuffer:
    """Hold the frames a socket would not take yet, oldest first.

    ``since`` is when the socket last took something, in seconds of the node's wheel.
    """

    __slots__ = ("_frames", "_sent", "since", "size")

    def __init__(self, since: int) -> None:
        self._frames: deque[tuple[bytes, Tally | None, int | None]] = deque()
        self._sent = 0
        self.since = since
        self.size = 0

    def __len__(self) -> int:
        return len(self._frames)

    def push(self, frame: bytes, tally: Tally | None = None, expires_at: int | None = None) -> None:
        """Add a frame; ``tally`` is told what becomes of it."""
        self._frames.append((frame, tally, expires_at))
        self.size += len(frame)
        if tally is not None:
            tally.wait()

    def begun(self, sent: int) -> None:
        """Note that the oldest frame's first ``sent`` bytes are gone already."""
        self._sent = sent
        self.size -= sent

    def flush(self, write: Callable[[bytes | memoryview], int], now: int) -> bool:
        """Write until the socket is full; tell whether anything went.

        Expired frames are dropped (milliseconds ``now``), but never one whose first bytes are
        out: half a frame would corrupt the stream.

        Raises:
            OSError: the socket is gone.
        """
        progress = False
        while self._frames:
            frame, tally, expires_at = self._frames[0]
            if not self._sent and expires_at is not None and now >= expires_at:
                self._drop_oldest()
                continue
            count = write(memoryview(frame)[self._sent :] if self._sent else frame)
            progress = progress or count > 0
            self._sent += count
            self.size -= count
            if self._sent < len(frame):
                return progress
            self._sent = 0
            self._frames.popleft()
            if tally is not None:
                tally.went()
        return progress

    def discard(self, keep_begun: bool) -> None:
        """Forget what waits; with ``keep_begun`` all but a frame whose first bytes are out."""
        begun = self._frames.popleft() if keep_begun and self._sent else None
        for _, tally, _ in self._frames:
            if tally is not None:
                tally.lost()
        self._frames.clear()
        self.size = 0
        if begun is None:
            self._sent = 0
        else:
            self._frames.append(begun)
            self.size = len(begun[0]) - self._sent

    def _drop_oldest(self) -> None:
        frame, tally, _ = self._frames.popleft()
        self.size -= len(frame)
        if tally is not None:
            tally.lost()
