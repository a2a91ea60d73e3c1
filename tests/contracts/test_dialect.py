"""What every dialect promises: it reads and writes, keeps nothing, and has a word for each end."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import FakeFraming, control, toast
from toastkit.closing import CloseReason
from toastkit.dialects import ToastsDialect
from toastkit.dialects.contract import Dialect
from toastkit.errors import CommandRefused
from toastkit.replies import (
    Acked,
    Expiring,
    Failure,
    Greeting,
    Pong,
    Refreshed,
    Reply,
    StateSet,
    Subscribed,
    Unsubscribed,
)

REPLIES = [
    *(Greeting, Subscribed, Unsubscribed, Pong, StateSet),
    *(Acked, Expiring, Refreshed, Failure),
]
DIALECTS = [ToastsDialect(FakeFraming())]

each_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: type(each).__name__)


@each_dialect
@pytest.mark.parametrize("reason", list(CloseReason))
def test_every_reason_to_end_has_a_farewell(dialect: Dialect, reason: CloseReason) -> None:
    assert isinstance(dialect.close(reason), bytes)


@each_dialect
@pytest.mark.parametrize("kind", REPLIES)
def test_every_reply_has_a_word(dialect: Dialect, kind: type[Reply]) -> None:
    assert dialect.reply(kind())


def test_no_reply_is_forgotten_here() -> None:
    assert {each.__name__ for each in Reply.__subclasses__()} == {each.__name__ for each in REPLIES}


@each_dialect
def test_an_event_is_bytes_or_nothing(dialect: Dialect) -> None:
    for event in (toast(), control(), toast(seq=None, epoch=None)):
        assert isinstance(dialect.event(event), bytes | None)


@each_dialect
def test_it_keeps_nothing(dialect: Dialect) -> None:
    first = dialect.event(toast())
    dialect.event(control())
    dialect.reply(Pong(1, 2))
    assert dialect.event(toast()) == first


@each_dialect
@given(text=st.binary(max_size=100))
def test_what_it_cannot_read_is_refused(dialect: Dialect, text: bytes) -> None:
    with suppress(CommandRefused):
        dialect.read(text)
