"""The toast gateway's words, spelled as the document and its clients spell them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import FakeFraming, control, frames, toast
from toastkit.closing import CloseReason
from toastkit.commands import Ack, Command, Ping, Refresh, SetState, Subscribe, Unsubscribe
from toastkit.dialects import ToastsDialect, read_since
from toastkit.dialects.toasts import CODES, UNREADABLE
from toastkit.errors import BadMessage, CommandRefused, UnknownMessageType
from toastkit.records import Position, Since
from toastkit.replies import (
    Acked,
    Expiring,
    Failure,
    Greeting,
    Pong,
    Recovery,
    Refreshed,
    Reply,
    StateSet,
    Subscribed,
    Unsubscribed,
)

pytestmark = pytest.mark.plain

DIALECT = ToastsDialect(FakeFraming())
AT = "2026-01-01T00:00:00+00:00"
TOAST = "01HXY7Z1AAAAAAAAAAAAAAAAAA"


def at(seq: int, epoch: str) -> Since:
    return Since(position=Position(seq, epoch))


def spelled(frame: bytes | None) -> Any:
    assert frame is not None
    (payload,) = frames(frame)
    return json.loads(payload)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (b'{"type":"subscribe","topics":["a","b"]}', Subscribe(None, ("a", "b"))),
        (b'{"type":"subscribe","topics":[],"id":1}', Subscribe(1, ())),
        (b'{"type":"unsubscribe","topics":["a"],"id":"x"}', Unsubscribe("x", ("a",))),
        (b'{"type":"ping"}', Ping()),
        (b'{"type":"ping","id":1.5}', Ping(1.5)),
        (b'{"type":"ping","id":true}', Ping(True)),
        (b'{"type":"ping","id":null}', Ping()),
        (b'{"type":"state","state":"background"}', SetState(None, False)),
        (b'{"type":"state","state":"foreground","id":2}', SetState(2, True)),
        (b' {"unknown":{"a":[1]},"type":"ping"} ', Ping()),
        (b'{"type":"dance","type":"ping"}', Ping()),
        (b'{"type":"ping","id":"' + b"x" * 200 + b'"}', Ping("x" * 200)),
        (
            b'{"type":"subscribe","topics":["a"],"since":{"seq":0,"epoch":""}}',
            Subscribe(None, ("a",), at(0, "")),
        ),
        (
            b'{"type":"subscribe","topics":[],"id":1,"since":{"seq":7,"epoch":"e","x":1}}',
            Subscribe(1, (), at(7, "e")),
        ),
        (
            b'{"type":"subscribe","topics":[],"last_toast_id":"%s"}' % TOAST.encode(),
            Subscribe(None, (), Since(toast_id=TOAST)),
        ),
        (
            b'{"type":"subscribe","topics":[],"since":null,"last_toast_id":null}',
            Subscribe(None, ()),
        ),
        (b'{"type":"ack","ids":["a"]}', Ack(None, ("a",))),
        (b'{"type":"ack","ids":["' + b"x" * 64 + b'","b"],"id":1}', Ack(1, ("x" * 64, "b"))),
        (b'{"type":"refresh","token":"t"}', Refresh(None, "t")),
        (b'{"type":"refresh","token":"' + b"x" * 4096 + b'","id":1}', Refresh(1, "x" * 4096)),
    ],
)
def test_A24_messages_are_read(text: bytes, command: Command) -> None:
    assert DIALECT.read(text) == command


def subscribing(more: bytes) -> bytes:
    return b'{"type":"subscribe","topics":[],' + more + b"}"


def since(seq: bytes, epoch: bytes = b'"e"') -> bytes:
    return subscribing(b'"since":{"seq":' + seq + b',"epoch":' + epoch + b"}")


BAD = [
    *(b"", b" ", b"nonsense", b"null", b"true", b"5", b'"ping"', b"[]", b"[1,2]", b"{", b"}"),
    *(b'{"type":"ping"', b'{"type":"ping"}}', b'{"type":"ping"} x', b"{'type':'ping'}"),
    *(b'{"type":"ping",}', b"{type:ping}", b'{"type":"ping","id":NaN}', b'{"id":Infinity}'),
    *(b"{}", b'{"type":null}', b'{"type":5}', b'{"type":["ping"]}', b'{"type":{"a":1}}'),
    *(b'{"type":"ping","id":{}}', b'{"type":"ping","id":[1]}', b'{"type":"ping","id":1e999}'),
    b'{"type":"ping","id":"' + b"x" * 201 + b'"}',
    b'{"type":"ping","id":' + b"9" * 201 + b"}",
    b'{"type":"ping","id":' + b"9" * 60_000 + b"}",
    *(b'{"type":"subscribe"}', b'{"type":"subscribe","topics":null}'),
    *(b'{"type":"subscribe","topics":"a"}', b'{"type":"subscribe","topics":{"a":1}}'),
    *(b'{"type":"subscribe","topics":[1]}', b'{"type":"subscribe","topics":["a",null]}'),
    *(b'{"type":"subscribe","topics":[["a"]]}', b'{"type":"unsubscribe","topics":5}'),
    *(b'{"type":"state"}', b'{"type":"state","state":"away"}', b'{"type":"state","state":null}'),
    *(b'{"type":"state","state":["foreground"]}', b'{"type":"state","state":true}'),
    *(b'{"type":"ack"}', b'{"type":"ack","ids":[]}', b'{"type":"ack","ids":"a"}'),
    *(b'{"type":"ack","ids":[1]}', b'{"type":"ack","ids":[""]}', b'{"type":"ack","ids":{"a":1}}'),
    b'{"type":"ack","ids":["' + b"x" * 65 + b'"]}',
    b'{"type":"ack","ids":[' + b'"a",' * 100 + b'"a"]}',
    *(b'{"type":"refresh"}', b'{"type":"refresh","token":""}', b'{"type":"refresh","token":5}'),
    b'{"type":"refresh","token":"' + b"x" * 4097 + b'"}',
    *(subscribing(b'"since":5'), subscribing(b'"since":"3.e"'), subscribing(b'"since":{}')),
    *(subscribing(b'"since":{"seq":1}'), subscribing(b'"since":{"epoch":"e"}')),
    *(since(b"-1"), since(b"true"), since(b"1.0"), since(b'"1"'), since(b"null")),
    *(since(b"9223372036854775808"), since(b"1", b"5"), since(b"1", b'"' + b"e" * 65 + b'"')),
    *(subscribing(b'"last_toast_id":5'), subscribing(b'"last_toast_id":""')),
    subscribing(b'"last_toast_id":"' + b"x" * 65 + b'"'),
    subscribing(b'"since":{"seq":1,"epoch":"e"},"last_toast_id":"a"'),
    *(b"\xff", b'{"type":"\xff"}', b"\xef\xbb\xbf{}", b"\x00", b'{"type":"ping"}\x00'),
    *(b'{"type":"ping","id":"\xed\xa0\x80"}', b'{"type":"ping","id":"\\ud800"}'),
    *(b'{"type":"subscribe","topics":["\\udfff"]}', b'{"type":"ping","id":"\xc0\x80"}'),
    *(b"[" * 60_000, b'{"a":' * 12_000, b"[" * 30_000 + b"]" * 30_000),
    b'{"type":"ping","id":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
]


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_what_is_no_message_is_a_bad_message(text: bytes) -> None:
    with pytest.raises(BadMessage):
        DIALECT.read(text)


@pytest.mark.parametrize("type", ["", "Ping", "SUBSCRIBE", "connection_ack", "toast", "x" * 60_000])
def test_words_nobody_knows_are_told_apart_with_their_id(type: str) -> None:
    with pytest.raises(UnknownMessageType) as refusal:
        DIALECT.read(json.dumps({"type": type, "id": 7}).encode())
    assert refusal.value.id == 7
    assert len(str(refusal.value)) < 200


def test_as_many_acks_as_one_message_may_have() -> None:
    many = ",".join(['"a"'] * 100)
    assert DIALECT.read(f'{{"type":"ack","ids":[{many}]}}'.encode()) == Ack(None, ("a",) * 100)


@pytest.mark.parametrize("id", ["x", "01HXY7Z1", "\0", "n" * 64])
def test_what_can_be_no_id_is_nobodys(id: str) -> None:
    message = {"type": "subscribe", "topics": [], "last_toast_id": id}
    command = DIALECT.read(json.dumps(message).encode())
    assert command == Subscribe(None, (), Since(toast_id=""))
    assert read_since(None, id) == Since(toast_id="")


@pytest.mark.parametrize(
    ("since", "toast_id", "meant"),
    [
        (None, None, None),
        ("12.a1b2", None, at(12, "a1b2")),
        ("0.", None, at(0, "")),
        ("3.a.b", None, at(3, "a.b")),
        (None, TOAST, Since(toast_id=TOAST)),
        ("12.a1b2", TOAST, at(12, "a1b2")),
    ],
)
def test_where_a_client_left_off_is_read_from_its_url(
    since: str | None, toast_id: str | None, meant: Since | None
) -> None:
    assert read_since(since, toast_id) == meant


@pytest.mark.parametrize(
    "since",
    [
        *("", ".", "12", ".e", "x.e", "-1.e", "+1.e", "1 .e", "\u0663.e", "\u00b2.e", "null"),
        *("9" * 19 + ".e", "1." + "e" * 65),
    ],
)
def test_a_place_that_cannot_be_read_is_no_place(since: str) -> None:
    assert read_since(since, None) == Since(position=UNREADABLE)


def test_a_bad_message_echoes_its_id() -> None:
    with pytest.raises(BadMessage) as refusal:
        DIALECT.read(b'{"type":"subscribe","id":7}')
    assert refusal.value.id == 7


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)


@given(
    st.dictionaries(
        st.sampled_from(["type", "id", "topics", "state"]),
        scalars | st.lists(scalars, max_size=3) | st.sampled_from(["subscribe", "ping", "state"]),
    )
)
def test_what_is_read_can_be_answered(message: dict[str, Any]) -> None:
    try:
        command = DIALECT.read(json.dumps(message).encode())
        reply: Reply = Pong(command.id, 0)
    except CommandRefused as refusal:
        reply = Failure(refusal.id, refusal.code, str(refusal))
    assert spelled(DIALECT.reply(reply))["type"] in {"pong", "error"}


@given(st.binary(max_size=200))
def test_nothing_but_CommandRefused_is_ever_raised(text: bytes) -> None:
    try:
        DIALECT.read(text)
    except CommandRefused:
        return


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (
            Greeting(None, "5f0c", ("user:u1", "news")),
            {"type": "connection_ack", "session_id": "5f0c", "topics": ["user:u1", "news"]},
        ),
        (
            Greeting(None, "5f0c", (), Position(0, "")),
            {"type": "connection_ack", "session_id": "5f0c", "topics": [], "seq": 0, "epoch": ""},
        ),
        (
            Greeting(None, "5f0c", (), Position(9, "e"), Recovery(2)),
            {
                "type": "connection_ack",
                "session_id": "5f0c",
                "topics": [],
                "seq": 9,
                "epoch": "e",
                "recovered": True,
                "replayed": 2,
            },
        ),
        (
            Subscribed(None, (), (), Position(9, "e"), Recovery(0, "too_many")),
            {
                "type": "subscribe_ack",
                "topics": [],
                "all_topics": [],
                "seq": 9,
                "epoch": "e",
                "recovered": False,
                "replayed": 0,
                "reason": "too_many",
            },
        ),
        (Acked(4, ("a", "b")), {"type": "ack_ack", "id": 4, "ids": ["a", "b"]}),
        (
            Subscribed(1, ("news",), ("user:u1", "news")),
            {
                "type": "subscribe_ack",
                "id": 1,
                "topics": ["news"],
                "all_topics": ["user:u1", "news"],
            },
        ),
        (Unsubscribed("x", ("a",)), {"type": "unsubscribe_ack", "id": "x", "topics": ["a"]}),
        (Pong(None, 1_767_225_600_000), {"type": "pong", "ts": AT}),
        (
            Expiring(None, 1_767_225_600_000),
            {"type": "token_expiring", "expires_at": AT},
        ),
        (
            Refreshed(3, 1_767_225_600_000),
            {"type": "refresh_ack", "id": 3, "expires_at": AT},
        ),
        (StateSet(None, True), {"type": "state_ack", "state": "foreground"}),
        (StateSet(0, False), {"type": "state_ack", "id": 0, "state": "background"}),
        (
            Failure("a", "topic_not_allowed", "no", "user:u2"),
            {
                "type": "error",
                "code": "topic_not_allowed",
                "message": "no",
                "topic": "user:u2",
                "id": "a",
                "retryable": False,
            },
        ),
        (
            Failure(code="rate_limited", message="slow", retryable=True),
            {"type": "error", "code": "rate_limited", "message": "slow", "retryable": True},
        ),
    ],
)
def test_A22_A23_replies_are_spelled(reply: Reply, words: dict[str, Any]) -> None:
    assert spelled(DIALECT.reply(reply)) == words


def test_a_reply_without_a_word_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError):
        DIALECT.reply(Reply())


def test_A23_a_toast_is_spelled() -> None:
    assert spelled(DIALECT.event(toast(seq=1, epoch="e1"))) == {
        "type": "toast",
        "topic": "user:u1",
        "toast": {
            "id": "01HXY7Z1",
            "topic": "user:u1",
            "title": "Hello",
            "body": None,
            "style": "info",
            "priority": "normal",
            "deeplink": None,
            "created_at": AT,
        },
        "seq": 1,
        "epoch": "e1",
    }


def test_a_toast_that_was_missed_says_so() -> None:
    assert spelled(DIALECT.event(toast(seq=1, epoch="e1", replayed=True)))["replayed"] is True


def test_A23_what_a_toast_may_have_besides() -> None:
    event = toast(
        collapse_key="c",
        dedupe_key="d",
        expires_at=1_767_225_660_000,
        data={
            "body": "World",
            "style": "success",
            "priority": "high",
            "deeplink": "/orders/7",
            "data": {"order": 7},
        },
    )
    assert spelled(DIALECT.event(event))["toast"] == {
        "id": "01HXY7Z1",
        "topic": "user:u1",
        "title": "Hello",
        "body": "World",
        "style": "success",
        "priority": "high",
        "deeplink": "/orders/7",
        "created_at": AT,
        "collapse_key": "c",
        "dedupe_key": "d",
        "expires_at": "2026-01-01T00:01:00+00:00",
        "data": {"order": 7},
    }


def test_what_only_the_server_needs_is_not_told() -> None:
    words = spelled(DIALECT.event(toast(fallback=False, exclude="c1", dedupe_ms=5)))
    assert not {"user_id", "route", "fallback", "exclude", "dedupe_ms"} & {*words, *words["toast"]}


def test_A27_a_control_is_spelled() -> None:
    assert spelled(DIALECT.event(control("usage.changed", left=3))) == {
        "type": "control",
        "control": {"kind": "usage.changed", "params": {"left": 3}, "ts": AT},
    }


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (CloseReason.TOKEN_EXPIRED, 4001),
        (CloseReason.TOKEN_REJECTED, 4001),
        (CloseReason.TOKEN_REVOKED, 4001),
        (CloseReason.TOKEN_MISSING, 4002),
        (CloseReason.SLOW_CONSUMER, 4008),
        (CloseReason.TOO_MANY_ERRORS, 4009),
        (CloseReason.RESTART, 1012),
        (CloseReason.OVERLOADED, 1013),
        (CloseReason.TOO_BIG, 1009),
        (CloseReason.PROTOCOL, 1002),
        (CloseReason.BAD_UTF8, 1007),
        (CloseReason.UNSUPPORTED, 1003),
    ],
)
def test_A25_every_reason_has_its_code(reason: CloseReason, code: int) -> None:
    assert DIALECT.close(reason) == FakeFraming().close(code, reason.value)


def test_4003_is_left_to_the_products_other_socket() -> None:
    assert 4003 not in CODES.values()
