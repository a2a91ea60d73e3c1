"""A storage on every database there is, and what is put into it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, select

from tests.postgres import plain_engine
from toastkit.deliveries import Carried, Delivery, Due, Gone, Later, Outcome, Owing, Refusal, Sent
from toastkit.events import Event
from toastkit.records import Accepted, Device, Page, PageQuery, StateChange
from toastkit.runtime import runtime_for
from toastkit.storage import Storage, outbox
from toastkit.storage.group import InDoubt
from toastkit.storage.tables import toasts
from toastkit.testing import ManualClock

WINDOW_MS = 300_000
LIFE_MS = 3_600_000
STATES: dict[type, Any] = {Sent: "sent", Later: "waiting", Refusal: "failed", Gone: "failed"}
DUE_MS = 2000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def storage(url: str, clock: ManualClock) -> Iterator[Storage]:
    storage = Storage(url, runtime_for("auto"), clock)
    yield storage
    storage.close()


@pytest.fixture
def event(clock: ManualClock) -> Callable[..., Event]:
    """Make toasts with ids ``toast1``, ``toast2`` … of the present time."""
    numbers = itertools.count(1)

    def make(user_id: str = "ada", title: str = "Hello", **given: Any) -> Event:
        names = ("body", "deeplink", "data")
        content = {"style": "info", "priority": "normal", **dict.fromkeys(names)}
        return Event(
            kind="toast",
            id=given.pop("id", f"toast{next(numbers)}"),
            route=f"user:{user_id}",
            name="toast",
            user_id=user_id,
            created_at=clock.now(),
            dedupe_ms=WINDOW_MS,
            data={**content, "title": title, **given.pop("content", {})},
            **{"topic": f"user:{user_id}", **given},
        )

    return make


@pytest.fixture
def mark(storage: Storage, clock: ManualClock) -> Callable[..., None]:
    """Change a toast's state, one after another; back when it is on disk."""

    def mark(id: str, *states: Any, user_id: str = "ada", **given: Any) -> None:
        at = clock.now()
        changes = [
            StateChange(id, user_id, state, at, **{"transport": "websocket", **given})
            for state in states
        ]
        storage.inbox.mark(changes)
        # What is owed is carried out before what is asked for later, in the same commit.
        storage.sessions.revoke("nobody's", "nobody", at)

    return mark


@pytest.fixture
def unanswered(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Any]]:
    """Lose the answer to the next commit, which is kept; return what will hold its group."""

    def lose_next() -> list[Any]:
        committer = storage.anonymous._database._here().writer._desk.committer
        commit, lost = committer.commit, []

        def lose(group: Any) -> Any:
            results = commit(group)
            if not lost:
                lost.append(group)
                raise InDoubt(results)
            return results

        monkeypatch.setattr(committer, "commit", lose)
        return lost

    return lose_next


@pytest.fixture
def row(url: str) -> Callable[[str], Any]:
    """Look at a toast's row, every column of it."""

    def look(id: str) -> Any:
        engine = plain_engine(url)
        with engine.connect() as connection:
            found = connection.execute(select(toasts).where(toasts.c.id == id)).mappings().one()
        engine.dispose()
        return found

    return look


@pytest.fixture
def change(url: str) -> Callable[..., None]:
    """Set columns of every toast, past what storage would allow."""

    def change(**values: Any) -> None:
        engine = plain_engine(url)
        with engine.begin() as connection:
            connection.execute(toasts.update().values(**values))
        engine.dispose()

    return change


@pytest.fixture
def accept(storage: Storage) -> Callable[..., list[Accepted]]:
    """Store toasts in one commit."""
    return lambda *events: storage.inbox.accept(events, DUE_MS)


@pytest.fixture
def page(storage: Storage) -> Callable[..., Page]:
    """Read a page of ada's."""
    return lambda **asked: storage.inbox.page(PageQuery(user_id="ada", **asked))


@pytest.fixture
def host(storage: Storage, url: str) -> Iterator[Engine]:
    """Connect to the database as a host does that has its own tables there."""
    storage.inbox.facts("nothing")  # brings the schema
    engine = plain_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def publish(host: Engine) -> Callable[..., list[str]]:
    """Publish toasts inside a transaction of the host's that commits."""

    def publish(*events: Any) -> list[str]:
        with host.begin() as connection:
            outbox.add(connection, events)
        return [event.id for event in events]

    return publish


@pytest.fixture
def both(url: str, clock: ManualClock) -> Callable[..., list[Any]]:
    """Do the same in two processes' storages at once; return both answers."""

    def both(job: Callable[[Storage], Any]) -> list[Any]:
        answers: list[Any] = []
        storages = [Storage(url, runtime_for("auto"), clock) for _ in range(2)]
        start = threading.Barrier(2)

        def run(storage: Storage) -> None:
            start.wait()
            answers.append(job(storage))

        threads = [threading.Thread(target=run, args=(storage,)) for storage in storages]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for storage in storages:
            storage.close()
        return answers

    return both


@pytest.fixture
def push(clock: ManualClock) -> Callable[..., Due]:
    """Make a step of a fallback, by default a push that is due at once."""

    def push(kind: str = "apns", **given: Any) -> Due:
        start = {"at": clock.now(), "expires_at": clock.now() + LIFE_MS}
        return Due(kind=kind, **start | given)

    return push


@pytest.fixture
def phone(storage: Storage, clock: ManualClock) -> Callable[..., Device]:
    """Register a device that a push would reach."""

    def register(device_id: str = "phone", user_id: str = "ada", **given: Any) -> Device:
        start = {"bundle_id": "app", "push_token": f"token of {device_id}"}
        device = Device(
            user_id=user_id, device_id=device_id, registered_at=clock.now(), **start | given
        )
        storage.devices.register(device, 20)
        return device

    return register


@pytest.fixture
def away(
    storage: Storage, event: Any, clock: ManualClock, push: Callable[..., Due]
) -> Callable[..., Owing]:
    """Accept a toast that nobody is there for; return what is to be owed for it."""

    def accept(*dues: Due, gated: bool = False, **given: Any) -> Owing:
        toast = event(**given)
        [place] = storage.inbox.accept([toast], due_ms=2000)
        return Owing(
            toast_id=place.id,
            user_id=toast.user_id,
            seq=place.seq,
            at=clock.now(),
            payload={"toast": {"id": place.id}},
            dues=dues or (push(),),
            gated=gated,
        )

    return accept


@pytest.fixture
def owe(storage: Storage, away: Callable[..., Owing]) -> Callable[..., Owing]:
    """Accept a toast that nobody is there for, and owe its fallback."""

    def owe(*dues: Due, **given: Any) -> Owing:
        owing = away(*dues, **given)
        storage.deliveries.owe([owing])
        return owing

    return owe


@pytest.fixture
def settle(storage: Storage, clock: ManualClock) -> Callable[..., None]:
    """Note what became of an attempt; back when it is on disk."""

    def settle(delivery: Delivery, outcome: Outcome) -> None:
        state = STATES[type(outcome)]
        at = clock.now() if state == "waiting" else None
        storage.deliveries.settle(
            Carried(
                delivery=delivery,
                outcome=outcome,
                state=state,
                answer=outcome.answer,
                next_attempt_at=at,
            )
        )
        storage.inbox.facts("nothing")  # what is owed is carried out before what is asked

    return settle
