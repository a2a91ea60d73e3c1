"""A reader lists between 1 and 200 toasts of a real principal."""

from typing import Any

import pytest

from tests.fakes import FakeInbox
from toastkit.errors import Invalid
from toastkit.publishing import Toasts


def test_A19_the_limit_is_50_unless_named() -> None:
    inbox = FakeInbox()
    Toasts(inbox).list("u1")
    Toasts(inbox).list(7, limit=200, include_collapsed=True)
    assert inbox.asked == [("u1", 50, False), ("7", 200, True)]


@pytest.mark.parametrize("limit", [0, -1, 201, 10**30, True, 1.5, "50", None])
def test_A19_limits_outside_1_to_200_are_refused(limit: Any) -> None:
    inbox = FakeInbox()
    with pytest.raises(Invalid, match="limit must be 1-200"):
        Toasts(inbox).list("u1", limit=limit)
    assert inbox.asked == []


@pytest.mark.parametrize("user_id", ["", None, "a:b", "anon", "anon:x"])
def test_who_is_nobody_has_no_list(user_id: Any) -> None:
    with pytest.raises(Invalid):
        Toasts(FakeInbox()).list(user_id)
