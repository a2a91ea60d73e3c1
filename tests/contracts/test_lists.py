"""What is listed and what is read; the same on every database."""

from __future__ import annotations

from typing import Any

import pytest

from toastkit.errors import Invalid
from toastkit.records import PageQuery, ReadMark, StoredToast
from toastkit.storage import Storage
from toastkit.testing import ManualClock

pytestmark = pytest.mark.plain

# The list


def ids(found: Any) -> list[str]:
    return [each.id for each in found]


def walk(page: Any, limit: int, **asked: Any) -> list[StoredToast]:
    items: list[StoredToast] = []
    cursor = None
    while True:
        found = page(limit=limit, cursor=cursor, **asked)
        items += found.items
        cursor = found.next_cursor
        assert found.items
        if cursor is None:
            return items
        assert len(found.items) == limit


@pytest.mark.parametrize("limit", [1, 2, 5, 6])
def test_pages_show_every_toast_once_and_the_newest_first(
    accept: Any, event: Any, page: Any, limit: int
) -> None:
    accept(*(event() for _ in range(6)), event("bob"))
    assert [toast.seq for toast in walk(page, limit)] == [6, 5, 4, 3, 2, 1]


def test_new_toasts_do_not_move_the_next_page(accept: Any, event: Any, page: Any) -> None:
    accept(event(), event(), event())
    first = page(limit=1)
    accept(event())
    assert ids(page(cursor=first.next_cursor).items) == ["toast2", "toast1"]


def test_a_deleted_toast_still_marks_a_place_in_the_list(
    accept: Any, event: Any, page: Any, storage: Storage
) -> None:
    accept(event(), event(), event())
    storage.inbox.set_read("ada", "toast2", "deleted", 1)
    assert ids(page(cursor="toast2").items) == ["toast1"]


@pytest.mark.parametrize("cursor", ["toast2", "toast9", ""])
def test_a_cursor_is_one_of_the_users_toasts(
    accept: Any, event: Any, page: Any, cursor: str
) -> None:
    accept(event(), event("bob"))
    with pytest.raises(Invalid, match="cursor") as refused:
        page(cursor=cursor)
    assert refused.value.loc == ("cursor",)


def test_a_list_may_be_of_one_topic(accept: Any, event: Any, page: Any) -> None:
    accept(event(topic="news"), event(topic="news:a"), event(), event(topic="news"))
    assert ids(page(topic="news").items) == ["toast4", "toast1"]
    assert ids(walk(page, 1, topic="news")) == ["toast4", "toast1"]


def test_a_list_may_be_of_what_is_unread(
    accept: Any, event: Any, page: Any, storage: Storage
) -> None:
    accept(event(), event(), event())
    storage.inbox.set_read("ada", "toast2", "read", 1)
    assert ids(walk(page, 1, unread=True)) == ["toast3", "toast1"]


def test_unread_are_counted_whatever_is_asked_for(
    accept: Any, event: Any, page: Any, mark: Any, storage: Storage, clock: ManualClock
) -> None:
    soon = clock.now() + 1
    accept(*(event(collapse_key="c") for _ in range(2)), event(expires_at=soon), event(), event())
    accept(event(topic="news"), event("bob"))
    mark("toast2", "written")
    storage.inbox.set_read("ada", "toast4", "read", 1)
    storage.inbox.set_read("ada", "toast5", "deleted", 1)
    clock.advance(1)
    for asked in ({}, {"topic": "user:ada"}, {"unread": True}, {"include_collapsed": True}):
        assert page(**asked).unread_count == 2  # toast2 and the one on news
    assert page(limit=1, cursor="toast2").unread_count == 2


# What is read


def test_reading_is_seeing_too_and_the_first_time_stays(
    accept: Any, event: Any, storage: Storage, row: Any
) -> None:
    accept(event(), event())
    assert storage.inbox.set_read("ada", "toast1", "seen", 3)
    assert storage.inbox.set_read("ada", "toast1", "read", 5)
    assert storage.inbox.set_read("ada", "toast1", "read", 7)
    assert storage.inbox.set_read("ada", "toast1", "seen", 7)
    found = row("toast1")
    assert (found["seen_at"], found["read_at"]) == (3, 5)
    storage.inbox.set_read("ada", "toast2", "read", 9)
    assert row("toast2")["seen_at"] == 9


def test_a_toast_may_be_unread_again(accept: Any, event: Any, storage: Storage, row: Any) -> None:
    accept(event())
    storage.inbox.set_read("ada", "toast1", "read", 5)
    assert storage.inbox.set_read("ada", "toast1", "unread", 6)
    found = row("toast1")
    assert (found["seen_at"], found["read_at"]) == (5, None)


@pytest.mark.parametrize("then", ["read", "unread", "seen", "deleted"])
def test_a_deleted_toast_is_there_no_longer(
    accept: Any, event: Any, page: Any, storage: Storage, then: ReadMark
) -> None:
    accept(event())
    assert storage.inbox.set_read("ada", "toast1", "deleted", 5)
    assert not storage.inbox.set_read("ada", "toast1", then, 6)
    assert page().items == []


@pytest.mark.parametrize("mark", ["read", "unread", "seen", "deleted"])
def test_nobody_touches_what_is_anothers(
    accept: Any, event: Any, storage: Storage, row: Any, mark: ReadMark
) -> None:
    accept(event("bob"))
    assert not storage.inbox.set_read("ada", "toast1", mark, 5)
    assert not storage.inbox.set_read("ada", "nothing", mark, 5)
    found = row("toast1")
    assert {found["seen_at"], found["read_at"], found["deleted_at"]} == {None}


def test_all_may_be_read_up_to_a_toast(
    accept: Any, event: Any, page: Any, storage: Storage
) -> None:
    accept(event(), event(), event(), event("bob"))
    storage.inbox.set_read("ada", "toast1", "read", 1)
    assert storage.inbox.read_all("ada", "toast2", 5) == 1
    assert ids(page(unread=True).items) == ["toast3"]
    assert storage.inbox.read_all("ada", None, 6) == 1
    assert storage.inbox.read_all("ada", None, 7) == 0
    assert storage.inbox.page(PageQuery(user_id="bob")).unread_count == 1


@pytest.mark.parametrize("up_to", ["toast2", "nothing"])
def test_nothing_is_read_up_to_a_toast_the_user_has_not(
    accept: Any, event: Any, page: Any, storage: Storage, up_to: str
) -> None:
    accept(event(), event("bob"))
    assert storage.inbox.read_all("ada", up_to, 5) is None
    assert page().unread_count == 1


def test_reading_all_counts_what_the_list_showed_as_unread(
    accept: Any, event: Any, page: Any, mark: Any, storage: Storage
) -> None:
    accept(event(collapse_key="c"), event(collapse_key="c"), event())
    mark("toast2", "written")
    assert page().unread_count == 2
    assert storage.inbox.read_all("ada", None, 5) == 2
    assert page(include_collapsed=True, unread=True).items == []
