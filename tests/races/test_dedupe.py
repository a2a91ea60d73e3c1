"""Many processes that publish one dedupe key at the same moment: one toast."""

import pytest

from tests.races.conftest import publishers

pytestmark = [pytest.mark.plain, pytest.mark.timeout(900)]


def race(shared, rounds, most):
    """Let ``most`` processes publish one key, ``rounds`` times; return how many each round took."""
    taken = []
    with publishers(shared.url, most) as everybody:
        for number in range(rounds):
            for each in everybody:
                each.tell(user_id="ada", toast=f"round {number}", dedupe_key=f"key {number}")
            answers = [each.answer() for each in everybody]
            fresh = [answer["id"] for answer in answers if answer["status"] == "queued"]
            repeats = [answer["id"] for answer in answers if answer["status"] == "duplicate"]
            assert len(fresh) == 1, answers
            assert repeats == fresh * (most - 1), answers
            taken += fresh
    return taken


def check(shared, taken):
    rows = shared.rows()
    assert [row["id"] for row in rows] == taken
    assert [row["seq"] for row in rows] == list(range(1, len(taken) + 1))
    assert [row["seq"] for row in shared.rows("SELECT seq FROM toastkit_principals")] == [len(rows)]
    assert len(shared.rows("SELECT key FROM toastkit_dedupe")) == len(taken)


def test_eight_processes_with_one_key_get_one_toast(shared):
    check(shared, race(shared, 25, 8))


@pytest.mark.long
def test_eight_processes_with_one_key_get_one_toast_a_thousand_times(shared):
    check(shared, race(shared, 1000, 8))
