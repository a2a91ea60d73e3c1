"""``toastkit deliveries``: what waits, and what became of the rest."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import one_line

AT = "2026-01-01T00:00:00+00:00"


def test_nothing_is_owed(run):
    assert run("deliveries") == (0, "waiting: nothing\n", "")
    assert json.loads(run("deliveries", "--json")[1]) == {"items": [], "waiting": {}}


def test_what_is_owed_is_shown_without_what_it_says(kit, run):
    id = kit.deliveries.owe("order.placed", {"secret": "4711"}, target="warehouse", user_id="ada")
    kit.deliveries.owe("email", {"secret": "4711"})
    code, said, complaint = run("deliveries", "--kind", "order.placed")
    assert (code, complaint) == (0, "")
    assert said == (
        f"{id}  {AT}  order.placed  ada  warehouse  waiting  0 attempts  due since {AT}\n"
        "waiting: 1 of email, 1 of order.placed\n"
    )
    assert "4711" not in run("deliveries", "--json")[1]


def test_what_is_due_later_says_when(kit, run):
    kit.deliveries.owe("email", {})
    kit.node.clock.advance(-60)
    assert f"  next attempt {AT}\n" in run("deliveries")[1]


def test_programs_get_json(kit, run):
    id = kit.deliveries.owe("email", {}, seconds=60)
    (item,) = json.loads(run("deliveries", "--json")[1])["items"]
    assert (item["id"], item["kind"], item["state"]) == (id, "email", "waiting")
    assert (item["created_at"], item["expires_at"]) == (AT, "2026-01-01T00:01:00+00:00")
    assert (item["next_attempt_at"], item["lease_until"]) == (AT, None)
    assert "payload" not in item


def test_fewer_may_be_wanted(kit, run):
    for _ in range(3):
        newest = kit.deliveries.owe("email", {})
    code, said, _ = run("deliveries", "--limit", "1", "--state", "waiting")
    assert code == 0
    assert said.startswith(newest)
    assert said.count("\n") == 2
    assert run("deliveries", "--state", "sent")[1] == "waiting: 3 of email\n"


@pytest.mark.parametrize("limit", ["0", "-1", "1001"])
def test_a_limit_that_is_none_was_called_wrongly(run, limit):
    code, said, complaint = run("deliveries", "--limit", limit)
    assert (code, said) == (2, "")
    assert one_line(complaint)
