"""Why a toast was or was not seen, staged with a real kit on every database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import create_engine

from tests.fakes import Client, FakeFraming, FakeTransport
from toastkit import Config, Kit, UnknownToast
from toastkit.dialects import ToastsDialect
from toastkit.events import Toast
from toastkit.live import Arriving
from toastkit.publishing import Explanation, ToastOptions, toast_event
from toastkit.records import Position, Since, StateChange, Ticket
from toastkit.storage import outbox
from toastkit.testing import ManualClock

pytestmark = pytest.mark.plain

DIALECT = ToastsDialect(FakeFraming())
MakeKit = Callable[..., Kit]


@pytest.fixture
def make_kit(url: str, clock: ManualClock) -> Iterator[MakeKit]:
    """Make kits on one database, as processes would have them."""
    kits: list[Kit] = []

    def make(**settings: Any) -> Kit:
        kits.append(Kit(Config(database_url=url, close_seconds=1, **settings), clock=clock))
        return kits[-1]

    yield make
    for kit in kits:
        kit.close()


@pytest.fixture
def kit(make_kit: MakeKit) -> Kit:
    """Serve: this kit decides."""
    kit = make_kit()
    kit.node.serve()
    return kit


@pytest.fixture
def script(make_kit: MakeKit) -> Kit:
    """Be another process of the same database, which serves nobody."""
    return make_kit()


def connect(kit: Kit, user_id: str = "ada", since: Since | None = None) -> Client:
    ticket = Ticket(
        token_hash="h",
        user_id=user_id,
        device_id="d",
        topics=(f"user:{user_id}",),
        session_hash=None,
        expires_at=10**15,
    )
    connection = kit.node.admit(ticket, DIALECT, Arriving(since=since))
    client = Client(connection, FakeTransport(connection))
    client.transport.finish = client.transport.give_back  # type: ignore[method-assign]
    kit.node.runtime.ask(lambda: connection.open(client.transport))
    return client


def mark(kit: Kit, id: str, **change: Any) -> None:
    """Change a toast's state, as whoever decides it would."""
    kit._ground.storage.inbox.mark([StateChange(id, "ada", at=kit._ground.clock.now(), **change)])


def explain(kit: Kit, id: str) -> Explanation:
    return kit.toasts.explain(id)


def told(explanation: Explanation) -> str:
    """Return all that is said beside the verdict, as one text."""
    return "\n".join([*(text for _, text in explanation.timeline), *explanation.hints])


def test_delivered(kit: Kit) -> None:
    connect(kit)
    connect(kit)
    id = kit.publish_toast("ada", "Hello").id
    said = explain(kit, id)
    assert (said.id, said.user_id, said.state, said.why) == (id, "ada", "written", "delivered")
    assert said.verdict == "It was delivered to ada, on 2 connections in front of the app."
    at = "2026-01-01T00:00:00+00:00"
    assert (at, "published, on user:ada") in said.timeline
    assert (at, "delivered, on 2 connections in front of the app") in said.timeline
    assert "it is in the list" in said.hints
    assert "no client has confirmed" in told(said)


def test_delivered_and_acked(kit: Kit, clock: ManualClock) -> None:
    client = connect(kit)
    id = kit.publish_toast("ada", "Hello").id
    clock.advance(2)
    client.say({"type": "ack", "ids": [id]})
    kit.node.runtime.ask(lambda: None)
    said = explain(kit, id)
    assert (said.state, said.why) == ("acked", "acked")
    assert "confirmed that it has it" in said.verdict
    assert ("2026-01-01T00:00:02+00:00", "a client confirmed that it has it") in said.timeline
    assert "no client has confirmed" not in told(said)


def test_delivered_but_not_acked_in_time(make_kit: MakeKit, clock: ManualClock) -> None:
    kit = make_kit(ack_timeout_ms=5000)
    connect(kit)
    id = kit.publish_toast("ada", "Hello").id
    assert explain(kit, id).why == "delivered"
    clock.advance(5)
    said = explain(kit, id)
    assert (said.state, said.why) == ("written", "not_acked")
    assert "no client of ada confirmed in time" in said.verdict


def test_delivered_only_by_replay(kit: Kit, clock: ManualClock) -> None:
    id = kit.publish_toast("ada", "Hello").id
    assert explain(kit, id).why == "no_session"
    clock.advance(10)
    connect(kit, since=Since(position=Position(0, "")))
    for _ in range(1000):
        said = explain(kit, id)  # each takes a turn of the writer, who has the mark meanwhile
        if said.why != "no_session":
            break
    assert (said.state, said.why) == ("written", "replayed")
    assert "when a client that had missed it came back" in said.verdict
    assert ("2026-01-01T00:00:10+00:00", "sent to a client that had missed it") in said.timeline


def test_nobody_there(kit: Kit) -> None:
    id = kit.publish_toast("ada", "Hello").id
    said = explain(kit, id)
    assert (said.state, said.why) == ("undelivered", "no_session")
    assert said.verdict == "ada was not shown it: nobody was in front of the app."
    assert "it is in the list" in said.hints
    assert "ada is not connected to this process now" in said.hints
    assert "no device is registered" in told(said)


def test_nobody_there_but_a_phone(kit: Kit) -> None:
    kit.devices.register("ada", "phone", None, {"token": "a" * 64})
    id = kit.publish_toast("ada", "Hello").id
    said = explain(kit, id)
    assert said.why == "no_session"
    assert "no device" not in told(said)


def test_somebody_there_who_does_not_listen(kit: Kit) -> None:
    connect(kit)
    id = kit.publish_toast("ada", "Hello", topic="user:ada:builds").id
    said = explain(kit, id)
    assert (said.state, said.why) == ("undelivered", "not_subscribed")
    assert "did not listen" in said.verdict
    assert "none of these connections listens to user:ada:builds; they listen to user:ada" in (
        said.hints
    )


def test_nobody_there_and_no_phone_wanted(kit: Kit) -> None:
    id = kit.publish_toast("ada", "Hello", fallback_apns=False).id
    said = explain(kit, id)
    assert (said.state, said.why) == ("undelivered", "fallback_disabled")
    assert "not to ring a phone" in said.verdict


@pytest.mark.parametrize("reason", ["no_device", "provider_error"])
def test_what_a_fallback_says(script: Kit, reason: str) -> None:
    id = script.publish_toast("ada", "Hello").id
    mark(script, id, state="undelivered", reason=reason)
    said = explain(script, id)
    assert (said.state, said.why) == ("undelivered", reason)


def test_expired_before_anybody_was_there(kit: Kit, clock: ManualClock) -> None:
    id = kit.publish_toast("ada", "Hello", ttl_ms=1000).id
    clock.advance(1)
    said = explain(kit, id)
    assert said.why == "expired"
    assert said.verdict == "Its time to live ran out before ada was shown it."
    assert ("2026-01-01T00:00:01+00:00", "time to live ran out") in said.timeline
    assert "it is not in the list any more" in told(said)
    assert kit.toasts.list("ada").items == []


def test_expired_before_anybody_decided(script: Kit, kit: Kit, clock: ManualClock) -> None:
    id = script.publish_toast("ada", "Hello", ttl_ms=1000).id
    clock.advance(1)
    mark(kit, id, state="expired", reason="expired")
    said = explain(kit, id)
    assert (said.state, said.why) == ("expired", "expired")


def test_delivered_then_expired(kit: Kit, clock: ManualClock) -> None:
    connect(kit)
    id = kit.publish_toast("ada", "Hello", ttl_ms=1000).id
    clock.advance(1)
    said = explain(kit, id)
    assert (said.state, said.why) == ("written", "delivered")
    assert ("2026-01-01T00:00:01+00:00", "time to live ran out") in said.timeline
    assert "it is in the list" in said.hints
    assert [each.id for each in kit.toasts.list("ada").items] == [id]


def test_replaced_by_a_newer_one(kit: Kit) -> None:
    connect(kit)
    elder = kit.publish_toast("ada", "1 of 2", collapse_key="build").id
    newer = kit.publish_toast("ada", "2 of 2", collapse_key="build").id
    said = explain(kit, elder)
    assert (said.state, said.why) == ("written", "replaced")
    assert said.verdict == (
        "It was delivered to ada, on 1 connection in front of the app; then a newer toast with the "
        "same collapse key took its place."
    )
    assert f"it was replaced by {newer}; explain that one, too" in said.hints
    assert "it is in the list only with include_collapsed" in said.hints


def test_replaced_before_anybody_was_told(script: Kit, kit: Kit) -> None:
    elder = script.publish_toast("ada", "1 of 2", collapse_key="build").id
    newer = script.publish_toast("ada", "2 of 2", collapse_key="build").id
    mark(script, newer, state="written", transport="websocket", session_count=1)
    said = explain(script, elder)
    assert (said.state, said.why) == ("superseded", "superseded")
    assert "never shown" in said.verdict
    assert newer in told(said)


def test_read(kit: Kit, clock: ManualClock) -> None:
    id = kit.publish_toast("ada", "Hello").id
    clock.advance(60)
    kit.toasts.read("ada", id)
    said = explain(kit, id)
    assert (said.why, said.verdict) == ("read", "ada has read it.")
    assert ("2026-01-01T00:01:00+00:00", "read by ada") in said.timeline
    assert said.timeline == tuple(sorted(said.timeline, key=lambda each: each[0]))


def test_seen_in_the_list(kit: Kit) -> None:
    id = kit.publish_toast("ada", "Hello").id
    kit.toasts.seen("ada", id)
    assert (explain(kit, id).why, explain(kit, id).state) == ("seen", "undelivered")


def test_deleted_by_the_user(kit: Kit, clock: ManualClock) -> None:
    id = kit.publish_toast("ada", "Hello").id
    kit.toasts.read("ada", id)
    clock.advance(1)
    kit.toasts.delete("ada", id)
    said = explain(kit, id)
    assert (said.why, said.verdict) == ("deleted", "ada has deleted it from the list.")
    assert ("2026-01-01T00:00:01+00:00", "deleted by ada") in said.timeline
    assert not any("in the list" in hint for hint in said.hints)


def test_queued_while_not_every_worker_has_answered(kit: Kit, clock: ManualClock) -> None:
    kit._ground.backplane.share()
    id = kit.publish_toast("ada", "Hello").id
    said = explain(kit, id)
    assert (said.state, said.why) == ("accepted", "queued")
    assert ("2026-01-01T00:00:02+00:00", "due to be looked at again") in said.timeline


def test_undecided_where_no_process_serves(script: Kit, clock: ManualClock) -> None:
    id = script.publish_toast("ada", "Hello").id
    clock.advance(90)
    said = explain(script, id)
    assert (said.state, said.why) == ("accepted", "undecided")
    assert "waits for a process that serves" in said.verdict
    assert "overdue by 90 s" in told(said)
    assert "this process serves nobody" in told(said)


def test_taken_by_a_worker_a_moment_ago(script: Kit) -> None:
    id = script.publish_toast("ada", "Hello").id
    assert len(script._ground.storage.inbox.claim_due(1, 10_000)) == 1
    assert explain(script, id).why == "queued"


def waiting(url: str, clock: ManualClock, *, commit: bool) -> str:
    """Leave a toast in the outbox, as a transaction whose process died right after it."""
    event = toast_event("ada", Toast(title="Hello"), ToastOptions(dedupe_ms=1), clock.now())
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with closing(engine.connect()) as connection:
        outbox.add(connection, [event])
        if commit:
            connection.commit()
    engine.dispose()
    return event.id


def test_waits_in_the_outbox(script: Kit, url: str, clock: ManualClock) -> None:
    script.toasts.list("ada")  # makes the tables
    said = explain(script, waiting(url, clock, commit=True))
    assert (said.state, said.why) == ("accepted", "outbox")
    assert "transaction that is committed" in said.verdict


def test_rolled_back(script: Kit, url: str, clock: ManualClock) -> None:
    script.toasts.list("ada")
    with pytest.raises(UnknownToast, match="rolled back"):
        explain(script, waiting(url, clock, commit=False))


def test_retried_under_the_same_id(kit: Kit, clock: ManualClock) -> None:
    first = kit.publish_toast("ada", "Hello", dedupe_key="order-7").id
    clock.advance(30)
    connect(kit)
    assert kit.publish_toast("ada", "Hello again", dedupe_key="order-7").id == first
    said = explain(kit, first)
    assert said.why == "delivered"
    assert said.timeline[0] == ("2026-01-01T00:00:00+00:00", "published, and it reached nobody")
    assert said.timeline[1][0] == "2026-01-01T00:00:30+00:00"
    assert "took the place of the first" in said.timeline[1][1]


def test_a_duplicate_is_explained_by_the_first(kit: Kit, clock: ManualClock) -> None:
    connect(kit)
    first = kit.publish_toast("ada", "Hello", dedupe_key="order-7").id
    again = kit.publish_toast("ada", "Hello", dedupe_key="order-7")
    assert (again.status, again.id) == ("duplicate", first)
    assert "dedupe key 'order-7' is held" in told(explain(kit, again.id))
    clock.advance(301)
    assert "is held" not in told(explain(kit, first))


def test_never_accepted(kit: Kit, clock: ManualClock) -> None:
    made = toast_event("ada", Toast(title="Hello"), ToastOptions(dedupe_ms=1), clock.now())
    with pytest.raises(UnknownToast, match="2026-01-01T00:00:00"):
        kit.toasts.explain(made.id)
