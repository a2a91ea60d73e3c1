"""Visitors that become users: exactly one user gets each, whole, whoever is killed when."""

import itertools
import random
import signal
import threading
import time
from collections import Counter

import pytest
from sqlalchemy import text

from tests.races.conftest import Process, processes
from tests.races.rebinder import HOSTS, NOTES, POINTS

pytestmark = [pytest.mark.plain, pytest.mark.timeout(900)]
OWNERS = {
    "toasts": "SELECT id, user_id AS owner, topic, seq FROM toastkit_toasts ORDER BY user_id, seq",
    "claims": "SELECT toast_id AS id, user_id AS owner FROM toastkit_dedupe",
    "notes": "SELECT id, owner FROM notes",
}


class Rebinder(Process):
    """A process that visits, publishes and rebinds as it is told."""

    module = "tests.races.rebinder"

    def tell(self, *words):
        self.say(words)

    def ask(self, *words):
        self.tell(*words)
        return self.answer()


def rebinders(url, many):
    return processes(Rebinder, url, many)


@pytest.fixture
def hosts(shared):
    """Make the host's table; return what writes a visitor's notes into it."""
    HOSTS.create_all(shared._engine)
    numbers = itertools.count(1)

    def note(owner, *names):
        rows = [{"id": next(numbers), "owner": owner, "name": name} for name in names]
        with shared._engine.begin() as connection:
            connection.execute(NOTES.insert(), rows)

    return note


def everything(shared):
    """Return every table as it is."""
    names = [*HOSTS.tables, *(f"toastkit_{name}" for name in TABLES)]
    return {name: sorted(map(str, shared.rows(f"SELECT * FROM {name}"))) for name in names}


TABLES = (
    *("anonymous", "dedupe", "deliveries", "devices", "outbox", "principals", "sessions"),
    *("tickets", "toasts"),
)


def state(shared, visitor, user):
    """Say whether all is the visitor's still (``old``) or the user's (``new``)."""
    owners = {name: {row["owner"] for row in shared.rows(query)} for name, query in OWNERS.items()}
    uuid = visitor.removeprefix("anon:")
    [device] = shared.rows(f"SELECT * FROM toastkit_anonymous WHERE anon_uuid = '{uuid}'")
    alive = "SELECT * FROM toastkit_sessions WHERE revoked_at IS NULL AND user_id LIKE 'anon:%'"
    owed = shared.rows("SELECT * FROM toastkit_deliveries")
    topics = {row["topic"] for row in shared.rows(OWNERS["toasts"])}
    seen = (owners, device["rebound_to"], bool(shared.rows(alive)), len(owed), topics)
    for word, owner, bound, live, count in (
        ("old", visitor, None, True, 0),
        ("new", user, user, False, 1),
    ):
        if seen == ({name: {owner} for name in OWNERS}, bound, live, count, {f"user:{owner}:x"}):
            return word
    pytest.fail(f"neither old nor new: {seen}")


def prepared(process, hosts, device="phone"):
    """Let a visitor leave something everywhere; return the principal."""
    visitor = process.ask("visit", device)
    for number in range(3):
        process.ask("publish", visitor, f"{device} {number}")
    hosts(visitor, f"{device} a", f"{device} b")
    return visitor


# One of many


def test_of_eight_processes_with_eight_users_exactly_one_gets_each_device(shared, hosts):
    with rebinders(shared.url, 8) as everybody:
        for number in range(6):
            device = f"device {number}"
            visitor = prepared(everybody[0], hosts, device)
            for place, each in enumerate(everybody):
                each.tell("rebind", f"user{place}", device)
            answers = [each.answer() for each in everybody]
            winners = [f"user{n}" for n, answer in enumerate(answers) if "error" not in answer]
            assert len(winners) == 1, answers
            assert Counter(answer.get("error") for answer in answers) == {
                None: 1,
                "already_rebound": 7,
            }
            won = next(answer for answer in answers if "error" not in answer)
            # Three toasts with their claims, and two notes.
            assert (won["rebound"], won["rows_updated"]) == (True, 8)
            for query in OWNERS.values():
                owners = {row["owner"] for row in shared.rows(query)}
                assert visitor not in owners
    check_positions(shared)
    assert len(shared.rows("SELECT * FROM toastkit_deliveries")) == 6
    check_no_deadlock(shared)


def test_of_four_processes_with_one_user_one_moves_it_and_the_others_find_it_done(shared, hosts):
    with rebinders(shared.url, 4) as everybody:
        for number in range(6):
            device = f"device {number}"
            prepared(everybody[0], hosts, device)
            for each in everybody:
                each.tell("rebind", "ada", device)
            answers = [each.answer() for each in everybody]
            assert sorted((answer["rebound"], answer["rows_updated"]) for answer in answers) == [
                *([(False, 0)] * 3),
                (True, 8),
            ]
    check_positions(shared)
    assert len(shared.rows("SELECT * FROM toastkit_deliveries")) == 6
    check_no_deadlock(shared)


def test_of_four_processes_that_meet_a_device_first_all_get_one_principal(shared):
    with rebinders(shared.url, 4) as everybody:
        for number in range(10):
            for each in everybody:
                each.tell("visit", f"device {number}")
            assert len({each.answer() for each in everybody}) == 1
    assert len(shared.rows("SELECT * FROM toastkit_anonymous")) == 10


def test_what_is_published_to_a_visitor_meanwhile_moves_whole_or_stays_whole(shared, hosts):
    with rebinders(shared.url, 4) as (rebinder, *others):
        visitor = prepared(rebinder, hosts)
        published, moved = set(), 0
        for number in range(20):
            for place, each in enumerate(others):
                each.tell("publish", visitor, f"{number} {place}")
            answer = rebinder.ask("rebind", "ada", "phone")
            moved += answer["rows_updated"]
            published |= {each.answer() for each in others}
        rebinder.ask("rebind", "ada", "phone")
    rows = shared.rows(OWNERS["toasts"])
    assert published <= {row["id"] for row in rows}
    assert len(rows) == 3 + 20 * 3
    assert {row["owner"] for row in rows} == {"ada"}
    claims = {row["id"]: row["owner"] for row in shared.rows(OWNERS["claims"])}
    assert claims == {row["id"]: row["owner"] for row in rows}
    check_positions(shared)
    check_no_deadlock(shared)


def check_positions(shared):
    """Nobody's positions have a gap, and every topic is its owner's."""
    rows = shared.rows(OWNERS["toasts"])
    assert all(row["topic"] == f"user:{row['owner']}:x" for row in rows)
    last = dict(Counter(row["owner"] for row in rows))
    for owner, count in last.items():
        assert [row["seq"] for row in rows if row["owner"] == owner] == list(range(1, count + 1))
    kept = shared.rows("SELECT user_id, seq FROM toastkit_principals")
    assert {row["user_id"]: row["seq"] for row in kept} == last


def check_no_deadlock(shared):
    if shared.name == "postgresql":
        query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        assert shared.rows(query) == [{"deadlocks": 0}]


# Whoever is killed when


def test_a_process_killed_between_any_two_steps_leaves_all_old_or_all_new(shared, hosts):
    with rebinders(shared.url, 1) as [other]:
        for point in POINTS:
            visitor = prepared(other, hosts)
            before = everything(shared)
            with rebinders(shared.url, 1) as [doomed]:
                doomed.tell("arm", point)
                assert doomed.ask("rebind", "ada", "phone") is None, f"nobody came to {point!r}"
                assert doomed.process.wait(10) == -signal.SIGKILL
            after = state(shared, visitor, "ada")
            assert after == ("new" if point == "after commit" else "old"), point
            assert after == "new" or everything(shared) == before, point
            answer = other.ask("rebind", "ada", "phone")
            moved = after == "old"
            assert (answer["rebound"], answer["rows_updated"]) == (moved, 8 if moved else 0)
            assert state(shared, visitor, "ada") == "new"
            clean(shared)


def kill_at_random(shared, hosts, times):
    """Kill a process that rebinds, again and again; return how often it was old and new."""
    choice, seen, moment = random.Random(), Counter(), 0.02
    with rebinders(shared.url, 1) as [other]:
        for number in range(times):
            with rebinders(shared.url, 1) as [doomed]:
                visitor = prepared(other, hosts)
                doomed.tell("rebind", "ada", "phone")
                time.sleep(choice.uniform(0.5, 1.5) * moment)
                doomed.process.kill()
            after = wait_for_end(shared, visitor)
            seen[after] += 1
            moment *= 1.2 if after == "old" else 0.8  # towards where the one becomes the other
            other.ask("rebind", "ada", "phone")
            assert state(shared, visitor, "ada") == "new", number
            clean(shared)
    return seen


def wait_for_end(shared, visitor):
    """Return what was left; PostgreSQL may take a moment to notice that its client has gone."""
    sessions = (
        "SELECT 1 AS busy FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid()"
    )
    busy = f"{sessions} AND datname = current_database()"
    until = time.monotonic() + 10
    while shared.name == "postgresql" and shared.rows(busy):
        assert time.monotonic() < until
    return state(shared, visitor, "ada")


def clean(shared):
    with shared._engine.begin() as connection:
        for name in (*HOSTS.tables, *(f"toastkit_{name}" for name in TABLES)):
            connection.execute(text(f"DELETE FROM {name}"))


def test_a_process_killed_at_random_moments_leaves_all_old_or_all_new(shared, hosts):
    kill_at_random(shared, hosts, 5)


@pytest.mark.long
def test_a_process_killed_at_a_hundred_random_moments_leaves_all_old_or_all_new(shared, hosts):
    seen = kill_at_random(shared, hosts, 100)
    assert set(seen) == {"old", "new"}, "the moments were all on one side"


# Over HTTP, in two servers under gevent


def test_over_http_one_of_many_users_gets_200_and_all_others_409(serve, shared):
    servers = [serve(TOASTKIT_DATABASE_URL=shared.url) for _ in range(2)]
    for number in range(5):
        device = {"device_id": f"device {number}"}
        assert servers[0].request("POST", "/auth/anonymous", device)[0] == 200
        answers, start = [], threading.Barrier(8)

        def rebind(place, device=device, answers=answers, start=start):
            headers = {"X-ToastKit": "1", "X-User": f"user{place}"}
            start.wait()
            answers.append(servers[place % 2].request("POST", "/auth/rebind", device, **headers))

        threads = [threading.Thread(target=rebind, args=(place,)) for place in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert Counter(status for status, _ in answers) == {200: 1, 409: 7}
        said = f"device device {number} already rebound to a different user"
        assert {body["detail"] for status, body in answers if status == 409} == {said}
        [won] = [body for status, body in answers if status == 200]
        assert won["rebound"] is True
