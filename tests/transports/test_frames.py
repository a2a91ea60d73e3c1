"""The frame reader against cases modelled on the Autobahn suite's 1-7 and 10."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Close
from websockets.frames import Frame as TheirFrame
from websockets.protocol import CLIENT, Protocol

from toastkit.closing import CloseReason
from toastkit.transports.frames import (
    BINARY,
    CLOSE,
    MORE,
    PING,
    PONG,
    TEXT,
    FrameError,
    FrameReader,
    WebSocketFraming,
    unmask,
)

pytestmark = pytest.mark.plain

LIMITS = {"size": 65_536, "fragments": 64}
BAD = CloseReason
KEY = b"\x37\xfa\x21\x3d"
KOENIG = "κόσμε - Größe ⌘ 𝄞".encode()


def frame(opcode, payload=b"", *, fin=True, rsv=0, key=KEY):
    """Write a client's frame with the length spelled as it must be."""
    size = len(payload)
    if size < 126:
        length = bytes([128 | size])
    elif size < 65_536:
        length = bytes([128 | 126]) + size.to_bytes(2, "big")
    else:
        length = bytes([128 | 127]) + size.to_bytes(8, "big")
    return bytes([fin << 7 | rsv << 4 | opcode]) + length + key + unmask(payload, key)


def close(code, reason=b""):
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


def first(opcode, payload=b""):
    return frame(opcode, payload, fin=False)


def more(payload=b""):
    return frame(MORE, payload, fin=False)


def last(payload=b""):
    return frame(MORE, payload)


def collect(reader, chunk, seen):
    """Feed a chunk; what came before an error is seen."""
    for each in reader.feed(chunk):
        seen.append(each)


def read_chopped(data, size):
    """Return what was read of data that comes in pieces, and the reason it ended with."""
    reader, seen = FrameReader(**LIMITS), []
    try:
        for begin in range(0, len(data), size):
            collect(reader, data[begin : begin + size], seen)
    except FrameError as error:
        return seen, error.reason
    return seen, None


SIZES = [0, 1, 125, 126, 127, 128, 65_535, 65_536]

WHOLE = {
    **{f"1.1 text of {n}": (frame(TEXT, b"*" * n), [(TEXT, b"*" * n)], None) for n in SIZES},
    **{
        f"1.2 binary of {n}": (frame(BINARY, b"\xfe" * n), [(BINARY, b"\xfe" * n)], None)
        for n in SIZES
    },
    "1.1 two texts at once": (
        frame(TEXT, b"a") + frame(TEXT, b"b"),
        [(TEXT, b"a"), (TEXT, b"b")],
        None,
    ),
    "1.1 masked with zeros": (frame(TEXT, b"plain", key=bytes(4)), [(TEXT, b"plain")], None),
}
PINGS = {
    "2.1 empty ping": (frame(PING), [(PING, b"")], None),
    "2.2 ping with text": (frame(PING, b"Hello"), [(PING, b"Hello")], None),
    "2.3 ping with bytes": (frame(PING, b"\x00\xff\xfe\xfd"), [(PING, b"\x00\xff\xfe\xfd")], None),
    "2.4 ping of 125": (frame(PING, b"\xfe" * 125), [(PING, b"\xfe" * 125)], None),
    "2.5 ping of 126": (frame(PING, b"\xfe" * 126), [], BAD.PROTOCOL),
    "2.7 unsolicited empty pong": (frame(PONG), [(PONG, b"")], None),
    "2.8 unsolicited pong": (frame(PONG, b"unsolicited"), [(PONG, b"unsolicited")], None),
    "2.9 pong of 126": (frame(PONG, b"x" * 126), [], BAD.PROTOCOL),
    "2.10 ten pings": (
        b"".join(frame(PING, b"%d" % n) for n in range(10)),
        [(PING, b"%d" % n) for n in range(10)],
        None,
    ),
}
RESERVED = {
    **{
        f"3.{rsv} reserved bits {rsv:03b}": (frame(TEXT, b"Hello", rsv=rsv), [], BAD.PROTOCOL)
        for rsv in range(1, 8)
    },
    **{
        f"3 reserved bits {rsv:03b} after a text": (
            frame(TEXT, b"ok") + frame(PING, rsv=rsv),
            [(TEXT, b"ok")],
            BAD.PROTOCOL,
        )
        for rsv in (1, 2, 4)
    },
    "3 reserved bits on a close": (frame(CLOSE, rsv=1), [], BAD.PROTOCOL),
    **{
        f"4 opcode {opcode}": (frame(opcode, b"x"), [], BAD.PROTOCOL)
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    },
    **{f"4 empty opcode {opcode}": (frame(opcode), [], BAD.PROTOCOL) for opcode in (3, 7, 11, 15)},
    "4 opcode 5 after a text": (frame(TEXT, b"ok") + frame(5), [(TEXT, b"ok")], BAD.PROTOCOL),
}
FRAGMENTS = {
    "5.1 ping in two": (frame(PING, b"a", fin=False) + last(b"b"), [], BAD.PROTOCOL),
    "5.2 pong in two": (frame(PONG, b"a", fin=False) + last(b"b"), [], BAD.PROTOCOL),
    "5 close in two": (frame(CLOSE, fin=False), [], BAD.PROTOCOL),
    "5.3 text in two": (first(TEXT, b"frag") + last(b"ment"), [(TEXT, b"fragment")], None),
    "5.4 text in three": (first(TEXT, b"a") + more(b"b") + last(b"c"), [(TEXT, b"abc")], None),
    "5 binary in two": (first(BINARY, b"\xff") + last(b"\xfe"), [(BINARY, b"\xff\xfe")], None),
    "5.6 ping between fragments": (
        first(TEXT, b"a") + frame(PING, b"p") + last(b"b"),
        [(PING, b"p"), (TEXT, b"ab")],
        None,
    ),
    "5 pong between fragments": (
        first(TEXT, b"a") + frame(PONG) + last(b"b"),
        [(PONG, b""), (TEXT, b"ab")],
        None,
    ),
    "5 close between fragments": (first(TEXT, b"a") + close(1000), [(CLOSE, b"\x03\xe8")], None),
    "5.9 end without a beginning": (last(b"x"), [], BAD.PROTOCOL),
    "5.10 end without a beginning, then text": (last(b"x") + frame(TEXT, b"a"), [], BAD.PROTOCOL),
    "5.12 middle without a beginning": (more(b"x"), [], BAD.PROTOCOL),
    "5.15 a second end": (
        first(TEXT, b"a") + last(b"b") + last(b"c"),
        [(TEXT, b"ab")],
        BAD.PROTOCOL,
    ),
    "5.18 text inside a message": (first(TEXT, b"a") + frame(TEXT, b"b"), [], BAD.PROTOCOL),
    "5 binary inside a message": (first(TEXT, b"a") + frame(BINARY, b"b"), [], BAD.PROTOCOL),
    "5 a new beginning inside a message": (first(TEXT) + first(TEXT), [], BAD.PROTOCOL),
    "5.19 pings between five fragments": (
        first(TEXT, b"1")
        + more(b"2")
        + frame(PING, b"p1")
        + more(b"3")
        + more(b"4")
        + frame(PING, b"p2")
        + last(b"5"),
        [(PING, b"p1"), (PING, b"p2"), (TEXT, b"12345")],
        None,
    ),
    "6.1 empty text in three": (first(TEXT) + more() + last(), [(TEXT, b"")], None),
    "6.1 empty around a middle": (
        first(TEXT) + more(b"middle") + last(),
        [(TEXT, b"middle")],
        None,
    ),
    "5 as many fragments as allowed": (
        first(TEXT, b"x") + more(b"x") * 62 + last(b"x"),
        [(TEXT, b"x" * 64)],
        None,
    ),
    "5 one fragment too many": (first(TEXT, b"x") + more(b"x") * 63 + last(b"x"), [], BAD.TOO_BIG),
    "5 empty fragments without end": (first(TEXT) + more() * 200, [], BAD.TOO_BIG),
    "9 fragments too big together": (
        first(TEXT, b"x" * 65_000) + last(b"x" * 537),
        [],
        BAD.TOO_BIG,
    ),
    "9 fragments just small enough": (
        first(TEXT, b"x" * 65_000) + last(b"x" * 536),
        [(TEXT, b"x" * 65_536)],
        None,
    ),
}
VALID = {
    "kosme": KOENIG,
    "first of 2 bytes": b"\xc2\x80",
    "first of 3 bytes": b"\xe0\xa0\x80",
    "first of 4 bytes": b"\xf0\x90\x80\x80",
    "last of 1 byte": b"\x7f",
    "last of 2 bytes": b"\xdf\xbf",
    "last of 3 bytes": b"\xef\xbf\xbf",
    "last of all": b"\xf4\x8f\xbf\xbf",
    "before the surrogates": b"\xed\x9f\xbf",
    "after the surrogates": b"\xee\x80\x80",
    "replacement character": b"\xef\xbf\xbd",
    "a NUL": b"\x00",
}
INVALID = {
    "beyond the last": b"\xf4\x90\x80\x80",
    "5 bytes": b"\xf8\x88\x80\x80\x80",
    "6 bytes": b"\xfc\x84\x80\x80\x80\x80",
    "lone continuation": b"\x80",
    "two lone continuations": b"\x80\xbf",
    "lone start of 2": b"\xc3 ",
    "lone start of 3": b"\xe2\x8c",
    "lone start of 4": b"\xf0\x9d\x84",
    "overlong slash in 2": b"\xc0\xaf",
    "overlong slash in 3": b"\xe0\x80\xaf",
    "overlong slash in 4": b"\xf0\x80\x80\xaf",
    "overlong NUL": b"\xc0\x80",
    "overlong of 2": b"\xc1\xbf",
    "overlong of 3": b"\xe0\x9f\xbf",
    "first surrogate": b"\xed\xa0\x80",
    "last surrogate": b"\xed\xbf\xbf",
    "pair of surrogates": b"\xed\xa0\x80\xed\xb0\x80",
    "FE": b"\xfe",
    "FF": b"\xff",
    "edited": KOENIG + b"\xed\xa0\x80" + b"edited",
}
UTF8 = {
    **{f"6 {name}": (frame(TEXT, text), [(TEXT, text)], None) for name, text in VALID.items()},
    **{f"6 {name}": (frame(TEXT, text), [], BAD.BAD_UTF8) for name, text in INVALID.items()},
    **{
        f"6 {name} as binary": (frame(BINARY, text), [(BINARY, text)], None)
        for name, text in list(INVALID.items())[:3]
    },
    "6.2 cut inside a character": (
        first(TEXT, KOENIG[:3]) + last(KOENIG[3:]),
        [(TEXT, KOENIG)],
        None,
    ),
    "6.2 one byte each": (
        first(TEXT, KOENIG[:1]) + b"".join(more(bytes([byte])) for byte in KOENIG[1:]) + last(),
        [(TEXT, KOENIG)],
        None,
    ),
    "6.3 invalid over fragments": (
        first(TEXT, KOENIG) + more(b"\xed\xa0\x80") + last(b"edited"),
        [],
        BAD.BAD_UTF8,
    ),
}
CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014]
OWN_CODES = [3000, 3999, 4000, 4001, 4999]
NO_CODES = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]
CLOSES = {
    "7.1 close without a word": (frame(CLOSE), [(CLOSE, b"")], None),
    "7.3 close of one byte": (frame(CLOSE, b"\x03"), [], BAD.PROTOCOL),
    "7.3 close with a reason": (close(1000, b"bye"), [(CLOSE, b"\x03\xe8bye")], None),
    "7.3 longest reason": (close(1000, b"x" * 123), [(CLOSE, b"\x03\xe8" + b"x" * 123)], None),
    "7.3 reason too long": (close(1000, b"x" * 124), [], BAD.PROTOCOL),
    "7.5 reason is not UTF-8": (
        close(1000, b"\xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80"),
        [],
        BAD.BAD_UTF8,
    ),
    "7.1 text after a close is still read": (
        close(1000) + frame(TEXT, b"late"),
        [(CLOSE, b"\x03\xe8"), (TEXT, b"late")],
        None,
    ),
    **{
        f"7.7 code {code}": (close(code), [(CLOSE, code.to_bytes(2, "big"))], None)
        for code in CODES + OWN_CODES
    },
    **{f"7.9 code {code}": (close(code), [], BAD.PROTOCOL) for code in NO_CODES},
}
HOSTILE = {
    "unmasked text": (b"\x81\x05Hello", [], BAD.PROTOCOL),
    "unmasked ping": (b"\x89\x00", [], BAD.PROTOCOL),
    "unmasked empty close": (b"\x88\x00", [], BAD.PROTOCOL),
    "HTTP instead of frames": (b"GET / HTTP/1.1\r\n\r\n", [], BAD.PROTOCOL),
    "small length in 2 bytes": (b"\x81\xfe\x00\x05", [], BAD.PROTOCOL),
    "125 in 2 bytes": (b"\x81\xfe\x00\x7d", [], BAD.PROTOCOL),
    "small length in 8 bytes": (b"\x81\xff" + (5).to_bytes(8, "big"), [], BAD.PROTOCOL),
    "65535 in 8 bytes": (b"\x81\xff" + (65_535).to_bytes(8, "big"), [], BAD.PROTOCOL),
    "negative length": (b"\x81\xff" + b"\xff" * 8, [], BAD.PROTOCOL),
    "one byte too big, told before it is sent": (
        b"\x81\xff" + (65_537).to_bytes(8, "big"),
        [],
        BAD.TOO_BIG,
    ),
    "64 MiB claimed": (b"\x81\xff" + (1 << 26).to_bytes(8, "big"), [], BAD.TOO_BIG),
    "the largest length": (b"\x82\xff" + ((1 << 63) - 1).to_bytes(8, "big"), [], BAD.TOO_BIG),
    "ping with a 2-byte length": (b"\x89\xfe\x00\x7e", [], BAD.PROTOCOL),
    "good text, then too big": (
        frame(TEXT, b"ok") + b"\x81\xff" + (1 << 40).to_bytes(8, "big"),
        [(TEXT, b"ok")],
        BAD.TOO_BIG,
    ),
    "10.1 text of 65536": (frame(TEXT, b"*" * 65_536), [(TEXT, b"*" * 65_536)], None),
}
CASES = {**WHOLE, **PINGS, **RESERVED, **FRAGMENTS, **UTF8, **CLOSES, **HOSTILE}
assert len(CASES) >= 120


@pytest.mark.parametrize("case", CASES)
def test_whole(case):
    data, expected, reason = CASES[case]
    assert read_chopped(data, 1 << 30) == (expected, reason)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 4096])
def test_chopped(size):
    for case, (data, expected, reason) in CASES.items():
        assert read_chopped(data, size) == (expected, reason), case


@st.composite
def conversations(draw):
    """Some messages, fragmented and interleaved with pings, and what must be read of them."""
    data, expected = b"", []
    for opcode, text in draw(
        st.lists(st.tuples(st.sampled_from([TEXT, BINARY]), st.text(max_size=300)), max_size=6)
    ):
        payload = text.encode()
        cuts = sorted(draw(st.lists(st.integers(0, len(payload)), max_size=5)))
        parts = [payload[a:b] for a, b in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
        key = draw(st.binary(min_size=4, max_size=4))
        for index, part in enumerate(parts):
            if draw(st.booleans()):
                data += frame(PING, b"p", key=key)
                expected.append((PING, b"p"))
            fin = index == len(parts) - 1
            data += frame(MORE if index else opcode, part, fin=fin, key=key)
        expected.append((opcode, payload))
    return data, expected


@given(conversations(), st.data())
def test_however_it_is_cut_the_same_is_read(conversation, draws):
    data, expected = conversation
    cuts = sorted(draws.draw(st.lists(st.integers(0, len(data)), max_size=12)))
    reader, seen = FrameReader(**LIMITS), []
    for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        collect(reader, data[begin:end], seen)
    assert seen == expected
    assert reader.idle


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data):
    _, reason = read_chopped(data, 4096)
    assert reason in (None, BAD.PROTOCOL, BAD.TOO_BIG, BAD.BAD_UTF8)


def test_a_frame_that_is_not_there_yet_is_waited_for():
    data = frame(TEXT, b"x" * 300)
    reader = FrameReader(**LIMITS)
    for end in range(1, len(data)):
        assert list(FrameReader(**LIMITS).feed(data[:end])) == []
    assert list(reader.feed(data[:200])) == []
    assert not reader.idle
    assert list(reader.feed(data[200:])) == [(TEXT, b"x" * 300)]
    assert reader.idle


def test_a_limit_of_its_own_is_kept():
    reader = FrameReader(size=10, fragments=2)
    assert list(reader.feed(frame(TEXT, b"x" * 10))) == [(TEXT, b"x" * 10)]
    with pytest.raises(FrameError):
        list(reader.feed(frame(TEXT, b"x" * 11)))


framing = WebSocketFraming()


def understood(data):
    """Read our frames as the `websockets` package's client does."""
    client = Protocol(CLIENT, max_size=None)
    client.receive_data(data)
    return client.events_received()


@pytest.mark.parametrize("size", SIZES)
def test_text_is_what_another_library_reads(size):
    assert understood(framing.text(b"x" * size)) == [TheirFrame(TEXT, b"x" * size)]


def test_ping_and_pong_are_what_another_library_reads():
    assert understood(framing.ping) == [TheirFrame(PING, b"")]
    assert understood(framing.pong(b"x" * 125)) == [TheirFrame(PONG, b"x" * 125)]


@pytest.mark.parametrize(
    ("reason", "told"),
    [("", ""), ("token expired", "token expired"), ("ü" * 100, "ü" * 61), ("x" * 123, "x" * 123)],
)
def test_close_is_what_another_library_reads(reason, told):
    (seen,) = understood(framing.close(4001, reason))
    assert Close.parse(seen.data) == Close(4001, told)
