"""Who comes and goes is told beside the loop, of each connection in order."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.fakes import World, toast
from toastkit.closing import CloseReason, Ending, Parting
from toastkit.errors import Invalid
from toastkit.live import Connection, Witness
from toastkit.live.comings import MOST
from toastkit.live.node import Arriving
from toastkit.records import Since
from toastkit.replies import Recovery

pytestmark = pytest.mark.plain

Told = list[tuple[str, str]]


class Remembering(Witness):
    """Remember who came and went, once a job has told it."""

    def __init__(self) -> None:
        self.told: Told = []
        self.topics: list[tuple[str, ...]] = []
        self.endings: list[Ending] = []
        self.refusals: list[Ending] = []
        self.recoveries: list[Recovery] = []
        self.listens = True

    def came(self, connection: Connection, topics: tuple[str, ...]) -> Callable[[], object] | None:
        self.topics.append(topics)
        return self._telling("came", connection)

    def left(self, connection: Connection, ending: Ending) -> Callable[[], object] | None:
        self.endings.append(ending)
        return self._telling("left", connection)

    def refused(self, ending: Ending) -> None:
        self.refusals.append(ending)

    def recovered(self, recovery: Recovery) -> None:
        self.recoveries.append(recovery)

    def _telling(self, what: str, connection: Connection) -> Callable[[], object] | None:
        return partial(self.told.append, (what, connection.user_id)) if self.listens else None


@pytest.fixture
def witness() -> Remembering:
    return Remembering()


@pytest.fixture
def world(witness: Remembering) -> World:
    return World(witness=witness)


def run_all(world: World) -> None:
    while world.runtime.jobs:
        world.runtime.run_job()


def test_nothing_is_told_on_the_loop(world: World, witness: Remembering) -> None:
    world.connect("ada")
    world.runtime.run()
    assert witness.told == []
    run_all(world)
    assert witness.told == [("came", "ada")]


def test_of_one_connection_the_second_waits_for_the_first(
    world: World, witness: Remembering
) -> None:
    world.connect("ada").connection.lost()
    assert len(world.runtime.jobs) == 1
    run_all(world)
    assert witness.told == [("came", "ada"), ("left", "ada")]


def test_another_connection_waits_for_nobody(world: World, witness: Remembering) -> None:
    world.connect("slow")
    slow = world.runtime.jobs.popleft()  # and does not end
    world.connect("ada").connection.lost()
    run_all(world)
    assert witness.told == [("came", "ada"), ("left", "ada")]
    slow()
    assert witness.told[2:] == [("came", "slow")]


def test_jobs_at_once_are_bounded_and_nobody_is_forgotten(witness: Remembering) -> None:
    world = World(witness=witness, connections_per_user=1000)
    for n in range(MOST + 10):
        world.connect(f"u{n}")
    assert len(world.runtime.jobs) == MOST
    run_all(world)
    assert len(witness.told) == MOST + 10


def test_a_job_that_fails_holds_up_nobody(world: World, witness: Remembering) -> None:
    client = world.connect("ada")
    world.runtime.jobs.clear()
    failing = world.node._comings

    def fail() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        failing._run(client.connection.id, fail)
    client.connection.lost()
    world.runtime.run()
    run_all(world)
    assert witness.told == [("left", "ada")]


def test_a_witness_that_fails_keeps_no_connection_here(
    world: World, witness: Remembering, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("nobody knows")

    client = world.connect("ada")
    monkeypatch.setattr(witness, "left", fail)
    with pytest.raises(KeyError):
        client.connection.lost()
    assert not world.node.roster.connections


def test_nothing_is_spawned_while_nobody_listens(world: World, witness: Remembering) -> None:
    witness.listens = False
    world.connect("ada").connection.lost()
    assert not world.runtime.jobs
    assert not world.node._comings._lines


def test_who_was_refused_neither_came_nor_left(world: World, witness: Remembering) -> None:
    connection = world.refuse(CloseReason.TOKEN_REJECTED)
    world.open(connection).transport.give_back()
    run_all(world)
    assert witness.told == []


def test_who_does_not_fit_neither_came_nor_left(witness: Remembering) -> None:
    world = World(witness=witness, connections=1)
    world.connect("ada")
    world.open(world.admit("bob")).transport.give_back()
    run_all(world)
    assert witness.told == [("came", "ada")]


def test_who_never_finishes_the_handshake_leaves(world: World, witness: Remembering) -> None:
    world.admit("ada")
    world.pass_time(60)
    run_all(world)
    assert witness.told == [("came", "ada"), ("left", "ada")]


def test_each_leaves_once_however_it_ends(world: World, witness: Remembering) -> None:
    client = world.connect("ada")
    client.connection.end(CloseReason.SLOW_CONSUMER)
    client.connection.lost()
    client.transport.give_back()
    run_all(world)
    assert witness.told == [("came", "ada"), ("left", "ada")]


def test_it_is_told_how_each_went(world: World, witness: Remembering) -> None:
    sent, left, lost, dropped = (world.connect(f"u{number}") for number in range(4))
    sent.connection.end(CloseReason.SLOW_CONSUMER)
    sent.connection.end(CloseReason.RESTART)
    left.connection.peer_closed()
    lost.connection.lost()
    dropped.connection.closed()
    wanted = [CloseReason.SLOW_CONSUMER, Parting.CLOSED, Parting.LOST, Parting.LOST]
    assert witness.endings == wanted


def test_who_is_refused_is_told_with_the_reason(witness: Remembering) -> None:
    world = World(witness=witness, connections=1)
    world.connect("ada")
    world.admit("bo")
    world.refuse(CloseReason.TOKEN_EXPIRED)
    assert witness.refusals == [CloseReason.OVERLOADED, CloseReason.TOKEN_EXPIRED]
    assert witness.endings == []


def test_what_became_of_a_recovery_is_told_once(world: World, witness: Remembering) -> None:
    known = world.keep(toast())
    world.keep(toast(id="01HXY7Z2"))
    world.open(world.admit(since=Since(toast_id=known.id)))
    world.open(world.admit(since=Since(toast_id="nobody's")))
    assert witness.recoveries == [Recovery(1), Recovery(0, "unknown_id")]


def test_a_deaf_client_such_as_a_stream_comes_and_goes(world: World, witness: Remembering) -> None:
    connection = world.node.admit(world.ticket("ada"), world.dialect, Arriving(deaf=True))
    world.open(connection)
    connection.lost()
    run_all(world)
    assert witness.told == [("came", "ada"), ("left", "ada")]


def test_who_comes_back_hears_the_topics_of_its_ticket(world: World, witness: Remembering) -> None:
    world.admit("ada", "user:ada", "news", since=Since(toast_id="x"))
    assert witness.topics == [("user:ada", "news")]


def test_the_end_waits_until_everybody_has_been_told(world: World, witness: Remembering) -> None:
    for user in "ada", "bob":
        world.connect(user)
    world.node.stop()
    assert sorted(witness.told) == [
        *(("came", "ada"), ("came", "bob")),
        *(("left", "ada"), ("left", "bob")),
    ]


def test_at_the_end_of_the_program_it_is_done_without_threads(
    world: World, witness: Remembering, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.connect("ada")

    def refuse(_: Any) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(world.runtime, "spawn", refuse)
    run_all(world)
    client = world.connect("bob")
    client.connection.lost()
    world.node.stop()
    assert witness.told == [("came", "ada"), ("came", "bob"), ("left", "ada"), ("left", "bob")]


def test_without_a_thread_for_a_moment_it_is_told_later(
    world: World, witness: Remembering, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(world.runtime, "spawn", lambda _: (_ for _ in ()).throw(RuntimeError("none")))
        world.connect("ada")
    world.pass_time(1)
    run_all(world)
    assert witness.told == [("came", "ada")]


def test_a_forked_child_tells_nothing(world: World, witness: Remembering) -> None:
    world.connect("ada")
    run_all(world)
    world.node.abandon()
    run_all(world)
    assert witness.told == [("came", "ada")]


# Who is online


def test_online_counts_those_in_front(world: World) -> None:
    assert world.node.online("ada") == 0
    world.connect("ada")
    world.connect("ada", background=True)
    assert (world.node.online("ada"), world.node.online("bob")) == (1, 0)


def test_online_counts_nobody_who_is_leaving_or_silent(world: World) -> None:
    leaving, silent = world.connect("ada"), world.connect("ada")
    leaving.connection.end(CloseReason.TOKEN_REVOKED)
    assert world.node.online("ada") == 1
    for _ in range(world.config.ping_seconds + world.config.pong_seconds + 1):
        if world.node.online("ada") == 0:
            break
        world.pass_time(1)
    assert world.node.online("ada") == 0
    assert not silent.connection.ending


def test_online_takes_what_a_user_id_may_be(world: World) -> None:
    world.connect("7")
    assert world.node.online(7) == 1
    with pytest.raises(Invalid):
        world.node.online("no one")


def test_online_makes_no_loop_where_nobody_is_served(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.runtime, "ask", lambda _: pytest.fail("the loop was asked"))
    assert world.node.online("ada") == 0


def test_online_is_nobody_at_the_end_and_makes_no_new_loop(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.connect("ada")
    world.node.stop()
    monkeypatch.setattr(world.runtime, "ask", lambda _: pytest.fail("the loop was asked"))
    assert world.node.online("ada") == 0
