"""Find where an HTTP/2 peer says that it will take no more, without ending what it has taken."""

from __future__ import annotations

from h2.exceptions import FrameTooLargeError
from msgspec import Struct

HEAD = 9
GOAWAY = 0x7
MAX_FRAME = 16_384
"""Largest frame a peer may send us."""

ALL = 0x7FFF_FFFF


class GoAway(Struct, frozen=True):
    """Say up to which stream the peer answers, and in which words of its own it took leave."""

    last_stream: int
    code: int
    words: str = ""


class GoAwayFrames:
    """Take GOAWAY frames out of what a peer says.

    h2 lets nothing come after one. But it is said while answers are under way, and to throw these
    away would mean to post pushes again that have rung already.
    """

    def __init__(self) -> None:
        self._held = bytearray()

    def split(self, data: bytes) -> tuple[bytes, list[GoAway]]:
        """Return what is complete, without GOAWAY frames, and these.

        Raises:
            FrameTooLargeError: of h2, which itself would first wait for all of the frame.
        """
        self._held += data
        rest, found, at = bytearray(), [], 0
        while len(self._held) - at >= HEAD:
            size = int.from_bytes(self._held[at : at + 3], "big")
            if size > MAX_FRAME:
                raise FrameTooLargeError(f"a frame of {size} bytes")
            end = at + HEAD + size
            if end > len(self._held):
                break
            if self._held[at + 3] == GOAWAY and size >= 8:
                found.append(_read(bytes(self._held[at + HEAD : end])))
            else:
                rest += self._held[at:end]
            at = end
        del self._held[:at]
        return bytes(rest), found


def _read(body: bytes) -> GoAway:
    last, code = int.from_bytes(body[:4], "big") & ALL, int.from_bytes(body[4:8], "big")
    words = body[8:208].decode("ascii", "replace")
    return GoAway(last, code, words if words.isprintable() else "")
