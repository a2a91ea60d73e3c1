"""A small database with every table in use, and rows in every state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import Mock

from sqlalchemy.orm import Session

from tests.fakes import Client
from tests.postgres import plain_engine
from tests.test_kit import connect
from toastkit import Config, Kit
from toastkit.deliveries import Delivery, Later, Outcome, Refusal, Sent
from toastkit.identity import TicketRequest
from toastkit.testing import ManualClock

TOKENS = {name: 2 * str(number) * 32 for number, name in enumerate(("bob", "cleo", "dora"), 1)}
EVERYTHING = {
    "title": "Everything",
    "body": 'It\'s "ä": 100%',
    "style": "warning",
    "priority": "high",
    "deeplink": "/orders/1",
    "data": {"n": [1, None]},
}
NEVER = 3_600_000
"""Milliseconds: nothing is decided but what a scene decides."""


class Post:
    """Send as the scene says."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.answer: Outcome = Sent("taken")

    def post(self, _: Delivery) -> Outcome:
        return self.answer


@contextmanager
def opened(url: str, clock: ManualClock, *senders: Post) -> Iterator[Kit]:
    """Open a kit on a database; nothing happens in it by itself."""
    config = Config(database_url=url, sweep_ms=NEVER, carry=False, ack_timeout_ms=5000)
    with Kit(config, clock=clock, senders=senders) as kit:
        yield kit


def make(url: str, clock: ManualClock) -> None:
    """Fill an empty database."""
    apns = Post("apns")
    with opened(url, clock, apns, Post("mail")) as kit:
        expire(kit)
        register(kit)
        show(kit, connect(kit, "ada"))
        push(kit, apns)
        sign_in(kit)
        clock.advance(1)
        join(kit)
    with opened(url, clock) as late:  # which serves nobody, and decides nothing
        late.publish_toast("ada", EVERYTHING, dedupe_key="late")


def expire(kit: Kit) -> None:
    """Publish where nobody is served, and come too late: ``expired``."""
    kit.publish_toast("ada", "Expired", ttl_ms=1000)
    due = kit._ground.storage.inbox.claim_due(10, 1)
    kit._ground.clock.advance(2)  # type: ignore[attr-defined]
    kit._publisher.resume(due)


def register(kit: Kit) -> None:
    """Register phones, one of which has no push token."""
    for user_id, token in TOKENS.items():
        apns = {"token": token, "environment": "production"}
        kit.devices.register(user_id, f"phone-of-{user_id}", None, apns)
    kit.devices.register("ada", "tablet-of-ada", "com.example.app", None)


def show(kit: Kit, client: Client) -> None:
    """Show toasts to a user: written, acked, seen, read, deleted, replaced, held by a key."""
    shown = {
        title: kit.publish_toast("ada", title, dedupe_key=f"key-{title}").id
        for title in ("Shown", "Acked", "Seen", "Read", "Deleted")
    }
    for title in "Replaced", "Newer":
        kit.publish_toast("ada", title, collapse_key="build", topic="project:7:ada")
        kit.publish_toast("ada", title, collapse_key="order")
    ack = {"type": "ack", "ids": [shown["Acked"]]}
    kit.node.runtime.ask(lambda: client.say(ack))
    kit.toasts.seen("ada", shown["Seen"])
    kit.toasts.read("ada", shown["Read"])
    kit.toasts.delete("ada", shown["Deleted"])
    kit.publish_toast("nobody", "No device", dedupe_key="released")
    kit.publish_toast("nobody", "No push", fallback_apns=False)


def push(kit: Kit, apns: Post) -> None:
    """Owe pushes and carry them: sent, failed, dropped, expired, waiting, and one that is held."""
    kit.publish_toast("bob", "Pushed")
    kit.deliveries.carry(once=True)
    apns.answer = Refusal("BadDeviceToken", suspect=True)
    kit.publish_toast("cleo", "Refused", dedupe_key="refused")
    kit.deliveries.carry(once=True)
    dropped = kit.publish_toast("dora", "Dropped")
    kit.toasts.read("dora", dropped.id)
    kit.deliveries.carry(once=True)
    kit.publish_toast("bob", "Superseded", collapse_key="bob")
    bob = connect(kit, "bob")
    kit.publish_toast("bob", "In its place", collapse_key="bob")
    kit.node.runtime.ask(bob.connection.lost)
    kit.deliveries.owe("mail", {"subject": "Expired"}, user_id="bob", seconds=1)
    kit._ground.clock.advance(2)  # type: ignore[attr-defined]
    kit.deliveries.carry(once=True)
    apns.answer = Later("busy", seconds=60)
    kit.publish_toast("bob", "Owed and tried")
    kit.deliveries.carry(once=True)
    kit.publish_toast("bob", "Owed")
    kit.deliveries.owe("mail", {"subject": "Held"}, user_id="bob")
    kit._ground.storage.deliveries.claim({"mail": 1}, 1000)
    kit.deliveries.owe("mail", {"subject": "Waiting"}, target="bob@example.com")


def sign_in(kit: Kit) -> None:
    """Open sessions, revoke some, hand out a ticket; visit anonymously, and sign in."""
    for user_id in "ada", "bob", "ada":
        token, session = kit.sessions.mint(user_id)
    kit.identity.tickets.mint(TicketRequest("ada", "tablet-of-ada", ("user:ada",)))
    asked = TicketRequest("ada", "default", ("user:ada",), session.token_hash)
    kit.identity.tickets.mint(asked)
    kit.sessions.revoke(token)
    visitor = kit.identity.anonymous.begin("visitor")[1].user_id
    kit.publish_toast(visitor, "For a visitor")
    left = kit.identity.anonymous.begin("phone-that-signed-in")[1].user_id
    kit.publish_toast(left, "Before she signed in")
    kit.identity.anonymous.rebind("erin", "phone-that-signed-in")


def join(kit: Kit) -> None:
    """Leave a toast in the outbox, as a crash between a commit and what follows does."""
    kit._joining._publisher = Mock()
    engine = plain_engine(kit.config.database_url)
    with Session(engine) as session:
        kit.publish_toast("ada", "Committed", db=session)
        session.commit()
    engine.dispose()
