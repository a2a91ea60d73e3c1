"""A user lists, reads and deletes their own toasts, and their other connections hear of it."""

from typing import Any

import pytest

from tests.fakes import FakeInbox
from toastkit.config import Config
from toastkit.errors import Invalid, NotServing, StorageUnavailable, TopicNotAllowed, UnknownToast
from toastkit.events import Event
from toastkit.ids import toast_id
from toastkit.publishing import Toasts, ToastsParts
from toastkit.records import PageQuery, StoredToast
from toastkit.testing import ManualClock

NOW = ManualClock().now()
ID = toast_id(NOW)
NO_IDS = ["", "x", ID + "0", ID.lower(), ID[:-1] + "\x00", "\x00" * 26, "x" * 10_000, "..", None, 7]
CHANGES = [
    ("read", "read", "toast.read"),
    ("unread", "unread", "toast.unread"),
    ("seen", "seen", "toast.seen"),
    ("delete", "deleted", "toast.deleted"),
]


def row(id: str = ID) -> StoredToast:
    return StoredToast(
        id=id,
        topic="user:u1",
        title="Hello",
        body=None,
        style="info",
        priority="normal",
        deeplink=None,
        data=None,
        created_at=NOW,
        seq=1,
        state="written",
    )


class Place:
    """Hold the facade, the inbox it asks, and what it told."""

    def __init__(self, **given: Any) -> None:
        self.inbox = FakeInbox(rows=[row()], **given)
        self.told: list[Event] = []
        self.serving = True
        self.toasts = Toasts(
            ToastsParts(Config(), ManualClock(), self.inbox, self.tell, lambda _: None)
        )

    def tell(self, event: Event) -> None:
        if not self.serving:
            raise NotServing("nobody is here")
        self.told.append(event)


@pytest.fixture
def place() -> Place:
    return Place()


def test_A19_the_limit_is_50_unless_named(place: Place) -> None:
    place.toasts.list("u1")
    place.toasts.list(7, limit=200, include_collapsed=True)
    assert place.inbox.asked == [
        PageQuery(user_id="u1", limit=50),
        PageQuery(user_id="7", limit=200, include_collapsed=True),
    ]


@pytest.mark.parametrize("limit", [0, -1, 201, 10**30, True, 1.5, "50", None])
def test_A19_limits_outside_1_to_200_are_refused(place: Place, limit: Any) -> None:
    with pytest.raises(Invalid, match="limit must be 1-200"):
        place.toasts.list("u1", limit=limit)
    assert place.inbox.asked == []


@pytest.mark.parametrize("user_id", ["", None, "a:b", "anon", "anon:x"])
def test_who_is_nobody_has_no_list(place: Place, user_id: Any) -> None:
    with pytest.raises(Invalid):
        place.toasts.list(user_id)


def test_A_21_cursor_topic_and_unread_are_asked_for(place: Place) -> None:
    page = place.toasts.list("u1", 2, cursor=ID, topic="user:u1:builds", unread=True)
    query = PageQuery(user_id="u1", limit=2, cursor=ID, topic="user:u1:builds", unread=True)
    assert place.inbox.asked == [query]
    assert page.items == place.inbox.rows


@pytest.mark.parametrize("cursor", [each for each in NO_IDS if each is not None])
def test_A_21_a_cursor_that_is_no_id_is_refused_before_the_database(
    place: Place, cursor: Any
) -> None:
    with pytest.raises(Invalid) as refused:
        place.toasts.list("u1", cursor=cursor)
    assert refused.value.loc == ("cursor",)
    assert place.inbox.asked == []


@pytest.mark.parametrize("topic", ["", "user:u2", "user:u1:*", "user:", "a b", "x\x00", "x" * 201])
def test_A_21_a_topic_no_toast_of_the_user_could_have_is_refused(place: Place, topic: str) -> None:
    with pytest.raises(TopicNotAllowed):
        place.toasts.list("u1", topic=topic)


def test_A_21_unread_toasts_are_counted(place: Place) -> None:
    assert place.toasts.unread_count("u1") == 1


@pytest.mark.parametrize(("verb", "mark", "control"), CHANGES)
def test_A_22_a_change_is_stored_and_told_to_the_others(
    place: Place, verb: str, mark: str, control: str
) -> None:
    getattr(place.toasts, verb)("u1", ID, exclude="c1")
    assert place.inbox.marks == [("u1", ID, mark, NOW)]
    (event,) = place.told
    assert (event.kind, event.name, event.data) == ("control", control, {"id": ID})
    assert (event.route, event.topic, event.exclude) == ("user:u1", None, "c1")


@pytest.mark.parametrize(("verb", "mark", "control"), CHANGES)
def test_A_22_nothing_is_told_before_it_is_stored(
    place: Place, verb: str, mark: str, control: str
) -> None:
    place.inbox.broken = True
    with pytest.raises(StorageUnavailable):
        getattr(place.toasts, verb)("u1", ID)
    assert place.told == []


@pytest.mark.parametrize("verb", ["read", "unread", "seen", "delete"])
def test_A_22_a_toast_nobody_has_is_unknown_and_nothing_is_told(place: Place, verb: str) -> None:
    with pytest.raises(UnknownToast):
        getattr(place.toasts, verb)("u1", toast_id(NOW))
    assert place.told == []


@pytest.mark.parametrize("id", NO_IDS)
@pytest.mark.parametrize("verb", ["read", "unread", "seen", "delete"])
def test_A_22_what_is_no_id_is_unknown_before_the_database(
    place: Place, verb: str, id: Any
) -> None:
    with pytest.raises(UnknownToast):
        getattr(place.toasts, verb)("u1", id)
    assert place.inbox.marks == []


def test_A_22_all_are_read_at_once(place: Place) -> None:
    assert place.toasts.read_all("u1", exclude="c1") == 1
    assert place.inbox.marks == [("u1", None, "read_all", NOW)]
    (event,) = place.told
    assert (event.name, event.data, event.exclude) == ("toasts.read_all", {"up_to": None}, "c1")


def test_A_22_all_up_to_one_are_read(place: Place) -> None:
    place.toasts.read_all("u1", up_to=ID)
    assert place.inbox.marks == [("u1", ID, "read_all", NOW)]
    assert place.told[0].data == {"up_to": ID}


@pytest.mark.parametrize("up_to", [toast_id(NOW), *(each for each in NO_IDS if each is not None)])
def test_A_22_up_to_a_toast_nobody_has_is_unknown(place: Place, up_to: Any) -> None:
    with pytest.raises(UnknownToast):
        place.toasts.read_all("u1", up_to=up_to)
    assert place.told == []


def test_A_22_where_nothing_was_unread_nothing_is_told(place: Place) -> None:
    place.inbox.rows.clear()
    assert place.toasts.read_all("u1") == 0
    assert place.told == []


def test_A_22_where_nobody_is_served_the_list_is_enough(place: Place) -> None:
    place.serving = False
    place.toasts.read("u1", ID)
    assert place.toasts.read_all("u1") == 1


@pytest.mark.parametrize("verb", ["read", "unread", "seen", "delete"])
def test_A_22_who_is_nobody_changes_nothing(place: Place, verb: str) -> None:
    with pytest.raises(Invalid):
        getattr(place.toasts, verb)("a:b", ID)
    with pytest.raises(Invalid):
        place.toasts.read_all("a:b")
    assert place.inbox.marks == []


def test_an_unknown_id_cannot_be_explained_but_says_why_not(place: Place) -> None:
    with pytest.raises(UnknownToast, match="rolled back"):
        place.toasts.explain(ID)
    with pytest.raises(UnknownToast, match="26"):
        place.toasts.explain("\x00")
