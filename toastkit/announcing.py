"""Send the signals: call their receivers in turn, and let none of them harm a delivery."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any

from blinker import NamedSignal

from . import signals
from .closing import Ending
from .deliveries import Ended
from .events import Event, Toast
from .ids import default_device_id
from .live import Connection, Witness
from .live.comings import Job
from .live.rules import Context
from .publishing import Sink
from .receipts import Receipt

Facts = Mapping[str, Any]

_called: ContextVar[tuple[tuple[NamedSignal, object], ...]] = ContextVar("_called", default=())
"""The receivers that are being called here, each with its signal."""

log = logging.getLogger("toastkit")


@dataclass(frozen=True, slots=True)
class Stage:
    """Say who the sender of all signals is, and what a receiver needs around it."""

    sender: object
    context: Context


class Teller(Sink, Witness):
    """Be told of what was published, and of who comes and goes."""


class Announcer(Teller):
    """Tell the receivers of the signals what has happened; without receivers it does nothing.

    ``stage`` returns ``None`` once the kit is gone: whatever runs beside a kit holds it weakly.
    """

    def __init__(self, stage: Callable[[], Stage | None]) -> None:
        self._stage = stage

    def published(self, toasts: Sequence[Event], receipts: Sequence[Receipt]) -> None:
        if signals.toast_published.receivers:
            self._tell(signals.toast_published, _published(toasts, receipts))

    def told(self, control: Event) -> None:
        if signals.control_published.receivers:
            self._tell(signals.control_published, _told(control))

    def later(self, job: Callable[[], None]) -> Callable[[], None]:
        # A receiver is not told of what it published itself, also not when that was joined to a
        # transaction and is announced in another thread.
        around = _called.get()
        return partial(_do_inside, around, job) if around else job

    def settled(self, ended: Sequence[Ended]) -> Job | None:
        if not self._is_heard(signals.delivery_settled):
            return None
        facts = [
            {"delivery": each.delivery, "state": each.state, "answer": each.answer}
            for each in ended
        ]
        return partial(self._tell, signals.delivery_settled, facts)

    def came(self, connection: Connection, topics: tuple[str, ...]) -> Job | None:
        if not self._is_heard(signals.client_connected):
            return None
        facts = {**_client(connection), "topics": topics}
        return partial(self._tell, signals.client_connected, [facts])

    def left(self, connection: Connection, _ending: Ending) -> Job | None:
        if not self._is_heard(signals.client_disconnected):
            return None
        return partial(self._tell, signals.client_disconnected, [_client(connection)])

    def revoked(self, user_id: str, sessions: int) -> None:
        """Tell that sessions of a user have been ended here, before their time."""
        facts = {"user_id": user_id, "sessions": sessions}
        self._tell(signals.session_revoked, [facts])

    def rebound(self, user_id: str, anonymous_id: str) -> None:
        """Tell that what was an anonymous principal's is a user's now."""
        facts = {"user_id": user_id, "anonymous_id": anonymous_id}
        self._tell(signals.rebound, [facts])

    def _is_heard(self, signal: NamedSignal) -> bool:
        if not signal.receivers or signal.is_muted:
            return False
        stage = self._stage()
        return stage is not None and signal.has_receivers_for(stage.sender)

    def _tell(self, signal: NamedSignal, each: Iterable[Facts]) -> None:
        stage = self._stage()
        if stage is None or not self._is_heard(signal):
            return
        interrupted = None
        for facts in each:
            for receiver in signal.receivers_for(stage.sender):
                interrupted = _call(stage, signal, receiver, facts) or interrupted
        if interrupted is not None:
            # A gevent timeout, or the end of a greenlet or of the program. It may be meant for the
            # publisher, so it is not swallowed; it waits until every receiver has been called.
            raise interrupted


def _call(
    stage: Stage, signal: NamedSignal, receiver: Callable[..., Any], facts: Facts
) -> BaseException | None:
    """Call one receiver; return what must go on to whoever runs this thread."""
    around = _called.get()
    if (signal, receiver) in around:
        return None  # it would answer itself for ever
    token = _called.set((*around, (signal, receiver)))
    try:
        with stage.context():
            _refuse_coroutine(receiver(stage.sender, **facts))
    except Exception:
        log.exception("%s failed when it was told %s", _name(receiver), signal.name)
    except BaseException as error:  # noqa: BLE001  # see whoever called this
        log.warning("%s was interrupted when it was told %s", _name(receiver), signal.name)
        return error
    finally:
        _called.reset(token)
    return None


def _do_inside(around: tuple[tuple[NamedSignal, object], ...], job: Callable[[], None]) -> None:
    token = _called.set(around)
    try:
        job()
    finally:
        _called.reset(token)


def _refuse_coroutine(answer: object) -> None:
    if inspect.iscoroutine(answer):
        answer.close()
        raise TypeError("a receiver must be a plain function: nothing awaits a coroutine here")


def _client(connection: Connection) -> dict[str, Any]:
    user_id = connection.user_id
    device_id = connection.device_id or default_device_id(user_id)
    return {"user_id": user_id, "device_id": device_id, "connection_id": connection.id}


def _told(control: Event) -> Iterator[Facts]:
    # A copy, here and below: a receiver may change it, and clients may still be sent the same.
    params = deepcopy(control.data)
    yield {"kind": control.name, "params": params, "user_id": control.user_id}


def _published(toasts: Sequence[Event], receipts: Sequence[Receipt]) -> Iterator[Facts]:
    for event, receipt in zip(toasts, receipts, strict=True):
        yield {
            "user_id": event.user_id,
            "topic": event.topic,
            "toast": Toast(**deepcopy(event.data)),
            "receipt": receipt,
        }


def _name(receiver: object) -> str:
    module = getattr(receiver, "__module__", None) or type(receiver).__module__
    return f"{module}.{getattr(receiver, '__qualname__', type(receiver).__qualname__)}"
