"""An explanation holds the verdict and everything beside it, for people and for programs."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.fakes import facts
from toastkit.ids import toast_id
from toastkit.publishing.explain import Explanation, explain, unknown
from toastkit.publishing.hints import Here
from toastkit.testing import ManualClock

NOW = ManualClock().now()


def test_it_says_all_there_is_to_say() -> None:
    known = facts(state="undelivered", reason="no_session")
    assert explain(known, None, NOW, 0) == Explanation(
        id=known.id,
        user_id="ada",
        state="undelivered",
        why="no_session",
        verdict="ada was not shown it: nobody was in front of the app.",
        timeline=(("2026-01-01T00:00:00+00:00", "published, on user:ada"),),
        hints=(
            "it is in the list",
            (
                "nothing was to follow: who decided it had no sender for a step of TOASTKIT_FALLBACK, "
                "or found it too late for one"
            ),
            "no device is registered for this user, so no phone could have rung either",
            "this process serves nobody, so it cannot tell whether ada is connected now",
        ),
    )


def test_it_is_json() -> None:
    known = facts(state="undelivered", reason="no_session")
    said = explain(known, [Here(True, ("user:ada",))], NOW, 0)
    assert msgspec.json.decode(msgspec.json.encode(said), type=Explanation) == said


@pytest.mark.parametrize("id", ["", "x", "\x00", None, 7])
def test_what_is_no_id_is_said(id: Any) -> None:
    assert "26" in unknown(id)


def test_an_unknown_id_says_when_it_was_made() -> None:
    assert "2026-01-01T00:00:00+00:00" in unknown(toast_id(NOW))


def test_an_unknown_id_may_be_that_of_a_repeat_in_a_transaction() -> None:
    assert "dedupe key" in unknown(toast_id(NOW))
