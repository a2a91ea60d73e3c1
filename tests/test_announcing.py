"""Signals: whoever listens is told once, in the host's context, and can do no harm."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from blinker import ANY
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from tests.fakes import World, control, toast
from tests.hearing import Heard
from tests.test_kit import connect, eventually
from toastkit import Config, Kit, NotServing, Receipt, StorageUnavailable, Toast
from toastkit.announcing import Announcer, Stage
from toastkit.closing import Parting
from toastkit.signals import (
    client_connected,
    client_disconnected,
    control_published,
    toast_published,
)
from toastkit.testing import ManualClock


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/toastkit.db"


@pytest.fixture
def kit(url: str) -> Iterator[Kit]:
    with Kit(Config(database_url=url), clock=ManualClock()) as kit:
        yield kit


@pytest.fixture
def heard(kit: Kit) -> Heard:
    return Heard(toast_published, kit)


def joined(kit: Kit, *titles: str, end: str = "commit") -> None:
    kit.toasts.list("ada")  # which makes the tables
    engine = create_engine(kit.config.database_url)
    with Session(engine) as session:
        for title in titles:
            kit.publish_toast("ada", title, db=session)
        getattr(session, end)()
    engine.dispose()


# What is told, once


def test_a_publish_is_told_with_its_receipt(kit: Kit, heard: Heard) -> None:
    kit.node.serve()
    receipt = kit.publish_toast("ada", Toast(title="Hello", data={"n": 1}), topic="project:7")
    assert heard.told == [
        {
            "user_id": "ada",
            "topic": "project:7",
            "toast": Toast(title="Hello", data={"n": 1}),
            "receipt": receipt,
        }
    ]
    assert heard.senders == [kit]


def test_each_of_many_is_told_in_order(kit: Kit, heard: Heard) -> None:
    receipts = kit.publish_toasts([f"u{n}" for n in range(70)], "Hello")
    assert heard.receipts == receipts
    assert [each["user_id"] for each in heard.told] == [f"u{n}" for n in range(70)]


def test_of_many_those_that_were_kept_are_told(
    kit: Kit, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit.publish_toast("ada", "Before")
    inbox = kit._publisher._inbox
    accept, calls = inbox.accept, iter([True, False])

    def fail_at_last(*args: Any) -> Any:
        if next(calls):
            return accept(*args)
        raise StorageUnavailable("full")

    monkeypatch.setattr(inbox, "accept", fail_at_last)
    with pytest.raises(StorageUnavailable):
        kit.publish_toasts([f"u{n}" for n in range(70)], "Hello")
    assert len(heard.told) == 1 + 64


def test_a_duplicate_is_told_with_its_receipt(kit: Kit, heard: Heard) -> None:
    first = kit.publish_toast("ada", "Hello", dedupe_key="k")
    kit.publish_toast("ada", "Hello", dedupe_key="k")
    assert heard.receipts == [first, Receipt.duplicate(first.id)]


def test_what_is_queued_is_told_once_and_not_again_when_it_is_decided(
    kit: Kit, heard: Heard
) -> None:
    receipt = kit.publish_toast("ada", "Hello")
    assert receipt.status == "queued"
    kit.node.serve()
    kit._publisher.resume(kit._ground.storage.inbox.claim_due(10, 1000))
    assert heard.receipts == [receipt]


def test_a_joined_one_is_told_after_the_commit(kit: Kit, heard: Heard) -> None:
    joined(kit, "One", "Two")
    assert heard.titles == ["One", "Two"]
    assert {each.status for each in heard.receipts} == {"queued"}


def test_a_joined_one_is_told_with_what_became_of_it_where_that_is_known(
    kit: Kit, heard: Heard
) -> None:
    connect(kit, "ada")
    joined(kit, "One")
    eventually(lambda: heard.told)
    assert [(each.status, each.session_count) for each in heard.receipts] == [("delivered", 1)]


def test_a_joined_duplicate_is_told(kit: Kit, heard: Heard) -> None:
    connect(kit, "ada")
    first = kit.publish_toast("ada", "One", dedupe_key="k")
    engine = create_engine(kit.config.database_url)
    with Session(engine) as session:
        kit.publish_toast("ada", "Two", dedupe_key="k", db=session)
        session.commit()
    engine.dispose()
    eventually(lambda: len(heard.told) == 2)
    assert heard.receipts[1] == Receipt.duplicate(first.id)


def test_closing_waits_until_a_joined_one_has_been_told(kit: Kit) -> None:
    told, begun = [], threading.Event()

    def slow(_: Kit, toast: Toast, **__: Any) -> None:
        begun.set()
        threading.Event().wait(0.1)
        told.append(toast.title)

    toast_published.connect(slow, sender=kit)
    kit.node.serve()
    joined(kit, "One")
    assert begun.wait(10)
    kit.close()
    assert told == ["One"]


def test_what_was_rolled_back_was_never_published(kit: Kit, heard: Heard) -> None:
    joined(kit, "One", end="rollback")
    assert heard.told == []


@pytest.mark.parametrize("serving", [False, True])
def test_what_a_crash_left_behind_is_told_by_whoever_relays_it(
    kit: Kit, heard: Heard, url: str, *, serving: bool
) -> None:
    with Kit(Config(database_url=url), clock=ManualClock()) as crashed:
        other = Heard(toast_published, crashed)
        crashed._joining._publisher = Mock()  # it dies between the commit and what follows
        joined(crashed, "One")
    assert other.told == []
    clock = kit._ground.clock
    assert isinstance(clock, ManualClock)
    clock.advance(5)
    if serving:
        kit.node.serve()
    kit._publisher.relay()
    eventually(lambda: heard.told)
    kit._publisher.relay()
    assert heard.titles == ["One"]


def test_many_joined_ones_are_told_as_far_as_they_were_kept(
    kit: Kit, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = kit._publisher._inbox
    relay, calls = inbox.relay, iter([True, False])

    def fail_at_last(*args: Any) -> Any:
        if next(calls):
            return relay(*args)
        raise StorageUnavailable("full")

    monkeypatch.setattr(inbox, "relay", fail_at_last)
    joined(kit, *(f"No. {n}" for n in range(70)))
    assert heard.titles == [f"No. {n}" for n in range(64)]


def test_a_control_is_told(kit: Kit) -> None:
    heard = Heard(control_published, kit)
    kit.node.serve()
    kit.publish_control("flags.changed", {"a": [1]})
    id = kit.publish_toast("ada", "Hello").id
    kit.toasts.read("ada", id)
    assert heard.told == [
        {"kind": "flags.changed", "params": {"a": [1]}, "user_id": None},
        {"kind": "toast.read", "params": {"id": id}, "user_id": "ada"},
    ]


def test_a_control_that_was_not_told_is_not_announced(kit: Kit) -> None:
    heard = Heard(control_published, kit)
    with pytest.raises(NotServing):
        kit.publish_control("flags.changed")
    assert heard.told == []


# To whom, and where


def test_of_two_kits_each_has_its_own_receivers(kit: Kit, heard: Heard, tmp_path: Path) -> None:
    config = Config(database_url=f"sqlite:///{tmp_path}/other.db")
    with Kit(config) as other:
        everybody = Heard(toast_published, ANY)
        other.publish_toast("ada", "Other")
    assert heard.told == []
    assert everybody.senders == [other]


def test_it_is_called_in_the_hosts_context_each_in_one_of_its_own(url: str) -> None:
    contexts: list[str] = []

    @contextmanager
    def context() -> Iterator[None]:
        contexts.append("in")
        yield
        contexts.append("out")

    sender = threading.Event()
    with Kit(Config(database_url=url), context=context, sender=sender) as kit:
        receivers = [lambda app, **_: contexts.append("called") for _ in range(2)]
        for each in receivers:
            toast_published.connect(each, sender=sender)
        kit.publish_toast("ada", "Hello")
    assert contexts == ["in", "called", "out"] * 2


def test_it_is_called_in_the_thread_that_published(kit: Kit, heard: Heard) -> None:
    connect(kit, "ada")
    kit.publish_toast("ada", "Hello")
    assert heard.threads == [threading.get_ident()]


def test_a_joined_one_is_never_told_on_the_loop(kit: Kit) -> None:
    connect(kit, "ada")
    on_loop: list[bool] = []

    def listen(_: Kit, **__: Any) -> None:
        on_loop.append(kit.node.runtime.on_loop() and kit.node.runtime.name == "threads")

    toast_published.connect(listen, sender=kit)
    joined(kit, "One")
    eventually(lambda: on_loop)
    assert on_loop == [False]


def test_a_muted_signal_says_nothing(kit: Kit, heard: Heard) -> None:
    with toast_published.muted():
        kit.publish_toast("ada", "Hello")
    assert heard.told == []


def test_a_kit_that_nobody_holds_goes(url: str) -> None:
    kit = Kit(Config(database_url=url))
    known = weakref.ref(kit)
    heard = Heard(toast_published, kit)
    kit.publish_toast("ada", "Hello")
    kit.close()
    heard.senders.clear()
    del kit
    gc.collect()
    assert known() is None


# Whoever fails does no harm


def failing(error: BaseException) -> Callable[..., None]:
    def receiver(_: object, **__: Any) -> None:
        raise error

    return receiver


def test_who_fails_is_named_and_the_others_are_told(
    kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    first, last = Heard(toast_published, kit), Heard(toast_published, kit)
    wrong = [failing(RuntimeError(n)) for n in range(3)]
    for each in wrong:
        toast_published.connect(each, sender=kit)
    client = connect(kit, "ada")
    receipt = kit.publish_toast("ada", "Hello")
    assert receipt.status == "delivered"
    assert [each["toast"]["title"] for each in client.news()] == ["Hello"]
    assert first.titles == last.titles == ["Hello"]
    told = [each for each in caplog.records if "failing.<locals>.receiver" in each.message]
    assert len(told) == 3


def test_who_fails_to_leave_its_context_does_no_harm(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    @contextmanager
    def context() -> Iterator[None]:
        yield
        raise RuntimeError("a teardown function failed")

    with Kit(Config(database_url=url), context=context) as kit:
        heard = Heard(toast_published, kit)
        kit.publish_toast("ada", "Hello")
    assert heard.titles == ["Hello"]
    assert "teardown function" in caplog.text


def test_an_interruption_goes_on_to_the_publisher_when_all_have_been_told(
    kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    def interrupt(_: Kit, user_id: str, **__: Any) -> None:
        if user_id == "ada":
            raise KeyboardInterrupt

    receivers = [Heard(toast_published, kit)]
    toast_published.connect(interrupt, sender=kit)
    receivers.append(Heard(toast_published, kit))
    with pytest.raises(KeyboardInterrupt):
        kit.publish_toasts(["ada", "bob"], "Hello")
    assert [each.titles for each in receivers] == [["Hello", "Hello"]] * 2
    assert "interrupt was interrupted" in caplog.text
    assert len(kit.toasts.list("bob").items) == 1


def test_a_coroutine_function_is_told_what_it_must_be(
    kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    async def receiver(_: object, **__: Any) -> None:
        await asyncio.sleep(0)

    toast_published.connect(receiver, sender=kit)
    kit.publish_toast("ada", "Hello")
    assert "must be a plain function" in caplog.text


class Nobody:
    """Send signals without a kit."""


def test_what_a_receiver_changes_changes_nothing_else() -> None:
    sender = Nobody()

    def spoil(_: Nobody, toast: Any = None, params: Any = None, **__: Any) -> None:
        (params or toast.data).clear()

    for each in toast_published, control_published:
        each.connect(spoil, sender=sender)
    announcer = Announcer(lambda: Stage(sender, nullcontext))
    toasts, told = [toast(data={"data": {"n": 1}})], control(n=1)
    announcer.published(toasts, [Receipt.queued("1")])
    announcer.told(told)
    # Others may be about to be told of them, on the loop.
    assert (toasts[0].data["data"], told.data) == ({"n": 1}, {"n": 1})


def test_nothing_is_made_for_receivers_of_another_sender() -> None:
    announcer = Announcer(lambda: Stage(Nobody(), nullcontext))
    other = Nobody()
    receivers = [Heard(client_connected, other), Heard(client_disconnected, other)]
    connection = World().admit("ada")
    assert announcer.came(connection, ()) is None
    assert announcer.left(connection, Parting.LOST) is None
    assert len(receivers) == 2


def test_a_slow_receiver_holds_up_its_own_publisher_only(kit: Kit) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(_: object, user_id: str, **__: Any) -> None:
        if user_id == "slow":
            begun.set()
            go_on.wait(10)

    toast_published.connect(slow, sender=kit)
    client = connect(kit, "slow")
    thread = threading.Thread(target=kit.publish_toast, args=("slow", "First"))
    thread.start()
    assert begun.wait(10)
    assert [each["toast"]["title"] for each in client.news()] == ["First"]
    assert kit.publish_toast("ada", "Second").status == "undelivered"
    assert thread.is_alive()
    go_on.set()
    thread.join()


# A receiver that publishes


def test_a_receiver_may_publish_and_is_not_told_of_that_itself(kit: Kit, heard: Heard) -> None:
    kit.node.serve()
    answers: list[Receipt] = []

    def answer(_: Kit, user_id: str, **__: Any) -> None:
        answers.append(kit.publish_toast(user_id, "An answer"))

    toast_published.connect(answer, sender=kit)
    kit.publish_toast("ada", "Hello")
    assert len(answers) == 1
    assert sorted(heard.titles) == ["An answer", "Hello"]
    kit.publish_toast("ada", "Again")
    assert len(answers) == 2


def test_receivers_that_answer_each_other_come_to_an_end(kit: Kit, heard: Heard) -> None:
    def answering(title: str) -> Callable[..., None]:
        def answer(_: Kit, user_id: str, **__: Any) -> None:
            kit.publish_toast(user_id, title)

        return answer

    answers = [answering("One"), answering("Two")]
    for each in answers:
        toast_published.connect(each, sender=kit)
    kit.publish_toast("ada", "Hello")
    assert sorted(heard.titles) == ["Hello", "One", "One", "Two", "Two"]


def test_a_bound_method_that_publishes_is_not_told_of_that_either(kit: Kit) -> None:
    class Answering:
        count = 0

        def answer(self, kit: Kit, user_id: str, **_: Any) -> None:
            self.count += 1
            kit.publish_toast(user_id, "An answer")

    answering = Answering()
    toast_published.connect(answering.answer, sender=kit)
    kit.publish_toast("ada", "Hello")
    assert answering.count == 1


def test_nor_of_what_it_publishes_with_a_transaction(kit: Kit, heard: Heard) -> None:
    kit.node.serve()
    answers: list[str] = []

    def answer(kit: Kit, toast: Toast, **_: Any) -> None:
        answers.append(toast.title)
        if len(answers) < 9:  # else it would answer itself for ever
            joined(kit, "An answer")

    toast_published.connect(answer, sender=kit)
    kit.publish_toast("ada", "Hello")
    kit.close()  # which waits for what is told beside
    assert answers == ["Hello"]
    assert sorted(heard.titles) == ["An answer", "Hello"]


def test_a_receiver_may_publish_after_a_commit(kit: Kit, heard: Heard) -> None:
    def answer(kit: Kit, user_id: str, **_: Any) -> None:
        kit.publish_toast(user_id, "An answer")

    toast_published.connect(answer, sender=kit)
    joined(kit, "One")
    assert sorted(heard.titles) == ["An answer", "One"]


def test_without_receivers_nothing_is_made(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        pytest.fail("nobody listens")

    monkeypatch.setattr("toastkit.announcing.deepcopy", never)
    monkeypatch.setattr("toastkit.announcing.Toast", never)
    kit.node.serve()
    kit.publish_toast("ada", "Hello")
    kit.publish_control("flags.changed")
