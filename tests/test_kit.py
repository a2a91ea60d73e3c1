"""A kit is wired from one config, opens at first use, and ends with what it began."""

import gc
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import Client, FakeFraming, FakeTransport
from toastkit import Config, ConfigError, Invalid, Kit, NotServing, Toast, TopicNotAllowed
from toastkit.current import kits
from toastkit.deliveries import Sent
from toastkit.dialects import ToastsDialect
from toastkit.hooks import Hooks
from toastkit.kit import SLICE
from toastkit.records import Ticket
from toastkit.senders import RecordingSender
from toastkit.testing import ManualClock

DIALECT = ToastsDialect(FakeFraming())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "toastkit.db"


@pytest.fixture
def kit(path: Path) -> Iterator[Kit]:
    with Kit(Config(database_url=f"sqlite:///{path}"), clock=ManualClock()) as kit:
        yield kit


def ticket(user_id: str, device_id: str = "d") -> Ticket:
    """Return a ticket that lets a user hear what is its own."""
    return Ticket(
        token_hash="h",
        user_id=user_id,
        device_id=device_id,
        topics=(f"user:{user_id}",),
        session_hash=None,
        expires_at=10**15,
    )


def connect(kit: Kit, user_id: str = "u1", device_id: str = "d") -> Client:
    """Connect a client on the kit's own loop; it leaves as soon as it hears the farewell."""
    connection = kit.node.admit(ticket(user_id, device_id), DIALECT)
    client = Client(connection, FakeTransport(connection))
    client.transport.finish = client.transport.give_back  # type: ignore[method-assign]
    kit.node.runtime.ask(lambda: connection.open(client.transport))
    client.news()
    return client


def eventually(found: Callable[[], object]) -> None:
    """Wait until something is there that another thread brings."""
    for _ in range(500):
        if found():
            return
        time.sleep(0.01)
    pytest.fail("it never came")


def titles(kit: Kit, user_id: str = "u1") -> list[str]:
    return [each.title for each in kit.toasts.list(user_id).items]


def test_without_a_database_it_says_which_variable_is_missing() -> None:
    with pytest.raises(ConfigError, match="TOASTKIT_DATABASE_URL"):
        Kit(Config())


def test_building_one_touches_neither_disk_nor_threads(path: Path) -> None:
    before = threading.active_count()
    with Kit(Config(database_url=f"sqlite:///{path}")):
        assert threading.active_count() == before
        assert list(path.parent.iterdir()) == []


def test_it_has_at_most_twelve_public_members(kit: Kit) -> None:
    assert len([name for name in dir(kit) if not name.startswith("_")]) <= 12


def test_A18_a_program_without_sockets_stores_and_queues(kit: Kit) -> None:
    receipt = kit.publish_toast("u1", "Hello")
    assert (receipt.status, receipt.transport, receipt.delivered) == ("queued", "none", False)
    (listed,) = kit.toasts.list("u1").items
    assert (listed.id, listed.title, listed.topic) == (receipt.id, "Hello", "user:u1")


@pytest.mark.parametrize("toast", ["Hello", {"title": "Hello"}, Toast(title="Hello")])
def test_A18_a_toast_may_be_given_in_three_ways(kit: Kit, toast: Any) -> None:
    kit.publish_toast(7, toast)
    assert titles(kit, "7") == ["Hello"]


def test_A16_who_is_connected_is_told(kit: Kit) -> None:
    client = connect(kit)
    receipt = kit.publish_toast("u1", "Hello")
    assert (receipt.status, receipt.transport, receipt.session_count) == (
        "delivered",
        "websocket",
        1,
    )
    (frame,) = client.said()
    assert (frame["toast"]["id"], frame["toast"]["title"]) == (receipt.id, "Hello")


def test_A16_who_serves_knows_when_nobody_is_there(kit: Kit) -> None:
    kit.node.serve()
    receipt = kit.publish_toast("u1", "Hello")
    assert (receipt.status, receipt.reason) == ("undelivered", "no_session")


def test_one_users_toasts_leave_in_the_order_of_their_positions(kit: Kit) -> None:
    client = connect(kit)

    def publish() -> None:
        for _ in range(60):
            kit.publish_toast("u1", "Hello")

    threads = [threading.Thread(target=publish) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [frame["seq"] for frame in client.said()] == list(range(1, 481))


def test_storage_that_closes_while_a_toast_is_told_takes_no_receipt_away(
    kit: Kit, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(kit)
    decide = kit._publisher._decide

    def close_first(*told: Any, **given: Any) -> Any:
        kit._ground.storage.close()
        return decide(*told, **given)

    monkeypatch.setattr(kit._publisher, "_decide", close_first)
    assert kit.publish_toast("u1", "Hello").status == "delivered"
    assert "1 state changes were not written" in caplog.text


def test_who_is_not_alone_on_a_database_never_decides_that_nobody_is_there(kit: Kit) -> None:
    connect(kit)
    kit._ground.backplane.share()
    assert kit.publish_toast("u1", "Hello").status == "delivered"
    assert kit.publish_toast("u2", "Hello").status == "queued"


def test_A28_a_repeat_is_a_duplicate_receipt(kit: Kit) -> None:
    client = connect(kit)
    first = kit.publish_toast("u1", "Hello", dedupe_key="order-7")
    again = kit.publish_toast("u1", "Hello", dedupe_key="order-7")
    assert (again.status, again.id) == ("duplicate", first.id)
    assert len(client.said()) == 1


def test_A30_now_or_never_reaches_who_is_there_now(kit: Kit) -> None:
    connect(kit)
    assert kit.publish_toast("u1", "Hello", ttl_ms=0).status == "delivered"
    assert kit.publish_toast("u2", "Hello", ttl_ms=0).status == "undelivered"
    assert titles(kit, "u2") == []


def test_a_wrong_field_stores_nothing(kit: Kit) -> None:
    with pytest.raises(Invalid):
        kit.publish_toast("u1", {"title": ""})
    with pytest.raises(TopicNotAllowed):
        kit.publish_toast("u1", "Hello", topic="user:u2")
    assert titles(kit) == []


def test_many_are_told_in_their_order_and_in_slices(kit: Kit) -> None:
    client = connect(kit, f"u{SLICE + 9}")
    receipts = kit.publish_toasts((f"u{number}" for number in range(SLICE + 50)), "Hello")
    assert len({receipt.id for receipt in receipts}) == SLICE + 50
    assert [place for place, each in enumerate(receipts) if each.delivered] == [SLICE + 9]
    assert len(client.said()) == 1


def test_others_get_their_turn_while_many_are_made(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[int] = []
    monkeypatch.setattr(kit._ground.runtime, "breathe", lambda: turns.append(1))
    users, seen = [f"u{number}" for number in range(SLICE + 1)], []
    kit.publish_toasts((seen.append(len(turns)) or user for user in users), "Hello")  # type: ignore[func-returns-value]
    assert seen == [0] * SLICE + [1]


def test_one_wrong_user_of_many_publishes_nothing(kit: Kit) -> None:
    with pytest.raises(Invalid):
        kit.publish_toasts(["u1", "u2", "not:a:user"], "Hello")
    assert titles(kit) == []


def test_many_may_be_none(kit: Kit) -> None:
    assert kit.publish_toasts([], "Hello") == []


def test_A27_a_control_reaches_one_or_everybody(kit: Kit) -> None:
    one, two = connect(kit, "u1"), connect(kit, "u2")
    kit.publish_control("usage.changed", {"left": 3}, user_id="u1")
    kit.publish_control("flags.changed")
    kit.node.runtime.ask(lambda: None)
    kinds = [[each["control"]["kind"] for each in client.said()] for client in (one, two)]
    assert kinds == [["usage.changed", "flags.changed"], ["flags.changed"]]
    assert titles(kit) == []


def test_A27_a_program_without_sockets_cannot_send_controls(kit: Kit) -> None:
    with pytest.raises(NotServing):
        kit.publish_control("flags.changed")


def test_A27_a_kind_nobody_registered_is_told_all_the_same_with_a_warning(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hooks = Hooks(controls={"flags.changed": "/v1/flags"})
    with Kit(Config(database_url=f"sqlite:///{path}"), hooks=hooks) as kit:
        client = connect(kit)
        kit.publish_control("flags.changed")
        assert "not registered" not in caplog.text
        kit.publish_control("usage.changed", user_id="u1")
        kit.publish_control("usage.changed", user_id="u1")
        kit.node.runtime.ask(lambda: None)
        assert len(client.said()) == 3
    assert caplog.text.count("control 'usage.changed' is not registered") == 1


def test_A27_whoever_serves_nobody_and_registers_nothing_is_not_warned(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Kit(Config(database_url=f"sqlite:///{path}")) as kit:
        with pytest.raises(NotServing):
            kit.publish_control("usage.changed", user_id="u1")
        assert "not registered" not in caplog.text
        connect(kit)
        kit.publish_control("usage.changed", user_id="u1")
    assert caplog.text.count("control 'usage.changed' is not registered") == 1


def test_closing_says_farewell_and_gives_everything_back(path: Path) -> None:
    before = threading.active_count()
    kit = Kit(Config(database_url=f"sqlite:///{path}", close_seconds=1))
    client = connect(kit)
    kit.publish_toast("u1", "Hello")
    kit.close()
    assert client.said()[-1] == "CLOSE 1012 restart"
    assert kit not in kits()
    assert threading.active_count() == before


def test_closing_twice_is_harmless(path: Path) -> None:
    kit = Kit(Config(database_url=f"sqlite:///{path}"))
    kit.publish_toast("u1", "Hello")
    kit.close()
    kit.close()


def test_what_is_owed_by_who_serves_is_posted_without_a_pause(path: Path) -> None:
    mail, never = RecordingSender("mail"), 3_600_000
    config = Config(database_url=f"sqlite:///{path}", sweep_ms=never, lease_ms=never)
    with Kit(config, senders=[mail]) as kit:
        kit.node.serve()
        kit.deliveries.owe("mail", {})
        eventually(lambda: mail.posted)


def test_closing_waits_for_what_is_being_posted(path: Path) -> None:
    config = Config(database_url=f"sqlite:///{path}", sweep_ms=20)
    begun, answered = threading.Event(), threading.Event()

    class Slow:
        kind = "mail"

        def post(self, _: object) -> Sent:
            begun.set()
            answered.wait(10)
            return Sent("250")

    with Kit(config, senders=[Slow()]) as kit:
        kit.node.serve()
        kit.deliveries.owe("mail", {})
        assert begun.wait(10)
        threading.Timer(0.2, answered.set).start()
    with Kit(config) as kit:
        [delivery] = kit.deliveries.recent()
        assert (delivery.state, delivery.last_answer) == ("sent", "250")


def test_what_was_published_survives_the_kit(path: Path) -> None:
    config = Config(database_url=f"sqlite:///{path}")
    with Kit(config) as kit:
        kit.publish_toast("u1", "Hello")
    with Kit(config) as kit:
        assert titles(kit) == ["Hello"]


def test_a_toast_is_listed_as_delivered_after_its_kit_has_gone(path: Path) -> None:
    config = Config(database_url=f"sqlite:///{path}")
    with Kit(config) as kit:
        connect(kit)
        kit.publish_toast("u1", "Hello")
    with Kit(config) as kit:
        assert [each.state for each in kit.toasts.list("u1").items] == ["written"]


def test_a_forgotten_kit_is_not_kept_alive(path: Path) -> None:
    kit = Kit(Config(database_url=f"sqlite:///{path}"))
    known = weakref.ref(kit)
    del kit
    gc.collect()
    assert known() is None


def test_a_forgotten_kit_leaves_nobody_behind_who_looks_again_and_again(path: Path) -> None:
    kit = Kit(Config(database_url=f"sqlite:///{path}", sweep_ms=1))
    kit.node.serve()
    looking, known = kit._looking, weakref.ref(kit)
    ended = [each._ended for each in looking]
    assert len(ended) == 2
    assert not any(each is None or each.wait(0.05) for each in ended)
    del kit
    gc.collect()
    assert known() is None
    assert all(each is not None and each.wait(5) for each in ended)


def test_who_could_not_begin_to_look_begins_once_more(path: Path, monkeypatch: Any) -> None:
    kit = Kit(
        Config(database_url=f"sqlite:///{path}", sweep_ms=1), senders=[RecordingSender("post")]
    )
    runtime, left = kit.node.runtime, [None] * 2
    spawn = runtime.spawn

    def refuse(job: Any) -> None:
        if not left:
            raise RuntimeError("can't start new thread")
        left.pop()
        spawn(job)

    with kit, monkeypatch.context() as patch:
        patch.setattr(runtime, "spawn", refuse)
        with pytest.raises(RuntimeError):
            kit.node.serve()
        before = kit._looking
        patch.undo()
        assert kit._carrier() is None
        kit.node.serve()
        assert all(each.stopped for each in before)
        assert not any(each.stopped for each in (*kit._looking, *kit._couriers))


class App:
    """Be what a kit's hooks are called in, and lead to the kit, as an app does."""

    def __init__(self, path: Path) -> None:
        url = f"sqlite:///{path}"
        self.kit = Kit(Config(database_url=url, sweep_ms=1), context=self.context)

    @contextmanager
    def context(self) -> Iterator[None]:
        yield


def test_a_forgotten_app_is_let_go_by_what_looks_for_its_kit(path: Path) -> None:
    app = App(path)
    app.kit.node.serve()
    app.kit.publish_toast("ada", "Hello")
    known = weakref.ref(app.kit)
    del app
    gc.collect()
    assert known() is None


def test_a_kit_that_serves_takes_up_what_another_process_published(path: Path) -> None:
    config = Config(database_url=f"sqlite:///{path}", sweep_ms=20)
    with Kit(config) as cron, Kit(config) as web:
        client = connect(web)
        receipt = cron.publish_toast("u1", "From afar")
        assert receipt.status == "queued"
        eventually(client.news)
        eventually(lambda: web.toasts.explain(receipt.id).state == "written")


def test_a_kit_that_serves_deletes_what_is_kept_no_longer(path: Path) -> None:
    clock = ManualClock()
    soon = {"sweep_ms": 10, "prune_seconds": 1}
    config = Config(database_url=f"sqlite:///{path}", retention_days=1, **soon)
    with Kit(config, clock=clock) as kit:
        connect(kit)
        kit.publish_toast("u1", "Yesterday")
        eventually(lambda: kit.toasts.list("u1").items[0].state == "written")
        clock.advance(24 * 3600 - 1)
        kit.publish_toast("u1", "Today")
        clock.advance(2)
        eventually(lambda: titles(kit) == ["Today"])


def test_who_is_forgotten_is_disconnected_and_has_no_toasts(kit: Kit) -> None:
    ada, bob = connect(kit, "ada"), connect(kit, "bob")
    kit.publish_toasts(["ada", "bob"], "Hello")
    assert kit.data.forget("ada")["toastkit_toasts"] == 1
    assert ada.said()[-1] == "CLOSE 4001 token revoked"
    assert (titles(kit, "ada"), titles(kit, "bob")) == ([], ["Hello"])
    kit.publish_toast("bob", "Still here")
    eventually(bob.news)


def test_a_program_without_sockets_forgets_too(kit: Kit) -> None:
    kit.publish_toast("ada", "Hello")
    assert kit.data.export("ada")["toastkit_toasts"][0]["title"] == "Hello"
    kit.data.forget("ada")
    assert titles(kit, "ada") == []
    assert not kit.node.serving


def test_the_exit_hook_is_set_at_the_first_socket_only(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks: list[Any] = []
    monkeypatch.setattr("toastkit.kit.atexit.register", hooks.append)
    with Kit(Config(database_url=f"sqlite:///{path}")) as kit:
        kit.publish_toast("u1", "Hello")
        assert hooks == []
        connect(kit)
        connect(kit)
        assert hooks == [kit.close]


@pytest.mark.plain
def test_what_is_being_posted_when_a_process_ends_is_settled_though_no_client_ever_came(
    path: Path,
) -> None:
    program = f"""
import threading
from toastkit import Config, Kit
from toastkit.deliveries import Sent
begun = threading.Event()
class Slow:
    kind = "mail"
    def post(self, delivery):
        begun.set()
        threading.Event().wait(0.3)
        return Sent("250")
kit = Kit(Config(database_url="sqlite:///{path}"), senders=[Slow()])
kit.node.serve()
kit.deliveries.owe("mail", {{}})
begun.wait(10)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=50)
    with Kit(Config(database_url=f"sqlite:///{path}")) as kit:
        assert [each.state for each in kit.deliveries.recent()] == ["sent"]


@pytest.mark.plain
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_leaves_the_clients_to_its_parent(kit: Kit) -> None:
    client = connect(kit)
    child = os.fork()
    if child == 0:
        queued = kit.publish_toast("u1", "Of the child").status == "queued"
        kit.close()
        os._exit(0 if queued and client.said() == [] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert kit.publish_toast("u1", "Of the parent").status == "delivered"
    assert titles(kit) == ["Of the parent", "Of the child"]


@pytest.mark.plain
def test_the_end_of_a_forked_child_closes_nothing_of_its_parent_s(path: Path) -> None:
    program = f"""
import os, sys
from toastkit import Config, Kit
from toastkit.senders import RecordingSender
class Mail(RecordingSender):
    def close(self):
        print("closed", flush=True)
kit = Kit(Config(database_url="sqlite:///{path}"), senders=[Mail("mail")])
kit.node.serve()
pid = os.fork()
if pid:
    os.waitpid(pid, 0)
"""
    command = [sys.executable, "-W", "ignore", "-c", program]
    ended = subprocess.run(command, check=True, timeout=50, capture_output=True, text=True)
    assert ended.stdout == "closed\n"


@pytest.mark.plain
def test_a_child_forked_under_gevent_decides_nothing(tmp_path: Path) -> None:
    # The parent's greenlets go on in it, and nobody is connected to it.
    program = f"""
from gevent import monkey; monkey.patch_all()
import os, time
from toastkit import Config, Kit
kit = Kit(Config(database_url="sqlite:///{tmp_path}/toastkit.db", sweep_ms=20))
kit.node.serve()
kit.publish_toast("u1", "Hello")
pid = os.fork()
if not pid:
    claims, kit._ground.storage.inbox.claim_due = [], lambda *_: claims.append(1)
    time.sleep(0.3)
    os._exit(len(claims))
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, timeout=50)


@pytest.mark.plain
def test_a_child_forked_under_gevent_carries_nothing(tmp_path: Path) -> None:
    program = f"""
from gevent import monkey; monkey.patch_all()
import os, time
from toastkit import Config, Kit
from toastkit.senders import RecordingSender
mail = RecordingSender("mail")
kit = Kit(Config(database_url="sqlite:///{tmp_path}/toastkit.db", sweep_ms=20), senders=[mail])
kit.node.serve()
kit.deliveries.owe("mail", {{}})
pid = os.fork()
if not pid:
    claims, kit._ground.storage.deliveries.claim = [], lambda *_: claims.append(1) or []
    time.sleep(0.3)
    os._exit(len(claims))
posted = mail.wait(seconds=10)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) or len(posted) != 1)
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, timeout=50)


def test_one_user_id_is_not_taken_for_many(kit: Kit) -> None:
    with pytest.raises(Invalid, match="publish_toast"):
        kit.publish_toasts("ada", "Hello")
