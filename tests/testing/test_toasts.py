"""What the fixture ``toasts`` says of an app, and what it makes of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.apple.server import Apple
from toastkit import Config, Kit, Toast, publish_control, publish_toast, publish_toasts
from toastkit.deliveries import Delivery, Outcome, Sent
from toastkit.errors import UsageError
from toastkit.testing import ManualClock, Toasts, recording

MakeApp = Callable[..., Flask]


def test_what_a_view_publishes_is_seen_with_its_receipt(
    client: FlaskClient, toasts: Toasts
) -> None:
    client.post("/orders")
    client.post("/orders", json={"topic": "user:ada:orders"})
    assert toasts.to("ada").titles == ["Order placed", "Order placed"]
    assert toasts.to("ada").topics == ["user:ada", "user:ada:orders"]
    assert [receipt.reason for receipt in toasts.to("ada").receipts] == ["no_session"] * 2
    assert toasts.to("bob") == []


def test_every_field_of_a_toast_is_there(app: Flask, toasts: Toasts) -> None:
    with app.app_context():
        given = Toast(title="Hi", body="there", style="success", data={"id": 7})
        publish_toast("ada", given, collapse_key="c", dedupe_key="d")
    [toast] = toasts.all
    assert (toast.user_id, toast.title, toast.body, toast.style) == (
        "ada",
        "Hi",
        "there",
        "success",
    )
    assert (toast.data, toast.collapse_key, toast.dedupe_key) == ({"id": 7}, "c", "d")
    assert toasts.all.bodies == ["there"]


def test_a_duplicate_is_none_that_was_published(client: FlaskClient, toasts: Toasts) -> None:
    toasts.online("ada")  # what nobody was shown may be published again
    for _ in range(2):
        client.post("/orders", json={"dedupe_key": "order-1"})
    assert toasts.to("ada").titles == ["Order placed"]
    assert toasts.duplicates.titles == ["Order placed"]


def test_a_user_is_named_as_when_publishing(app: Flask, toasts: Toasts) -> None:
    id = uuid.uuid4()
    with app.app_context():
        publish_toasts([7, id], "Hi")
    assert toasts.to(7).titles == toasts.to("7").titles == toasts.to(id).titles == ["Hi"]


def test_what_is_no_user_is_told_with_who_got_what(client: FlaskClient, toasts: Toasts) -> None:
    client.post("/orders")
    with pytest.raises(UsageError, match=r"not FlaskClient; ada got \['Order placed'\]"):
        toasts.to(client)


def test_a_list_says_what_is_in_it_and_what_is_not(client: FlaskClient, toasts: Toasts) -> None:
    assert repr(toasts.to("ada")) == "<to ada: nothing>"
    toasts.online("ada")
    client.post("/orders")
    assert repr(toasts.to("ada")) == "<to ada: 'Order placed' (shown on 1 page)>"
    assert repr(toasts.to("adda")) == "<to adda: nothing; ada got ['Order placed']>"
    toasts.offline("ada")
    for _ in range(6):
        client.post("/orders")
    assert repr(toasts.to("ada")).endswith("'Order placed' (delivered by apns) and 2 more>")


def test_who_is_online_is_shown_it(client: FlaskClient, toasts: Toasts) -> None:
    page, other = toasts.online("ada"), toasts.online("bob")
    assert client.post("/orders").json == {"shown_on": 1, "status": "delivered"}
    assert (page.titles, other.titles) == (["Order placed"], [])
    assert page.frames[0]["type"] == "connection_ack"
    page.background()
    assert client.post("/orders").json == {"shown_on": 0, "status": "undelivered"}
    page.foreground()
    page.close()
    client.post("/orders")
    assert len(page.toasts) == 2  # a page in the background hears, too


def test_a_page_listens_to_the_topics_that_are_named(client: FlaskClient, toasts: Toasts) -> None:
    page = toasts.online("ada", "user:ada:*")
    client.post("/orders")
    client.post("/orders", json={"topic": "user:ada:orders"})
    assert [toast["topic"] for toast in page.toasts] == ["user:ada:orders"]
    assert toasts.to("ada").receipts[0].reason == "not_subscribed"
    with pytest.raises(UsageError, match="ada may not hear user:bob"):
        toasts.online("ada", "user:ada", "user:bob")


def test_who_is_offline_has_a_phone(client: FlaskClient, toasts: Toasts) -> None:
    page = toasts.online("ada")
    toasts.offline("ada")
    client.post("/orders")
    assert page.titles == []
    assert toasts.pushed.titles == ["Order placed"]
    [push] = toasts.pushed.to("ada")
    assert push.payload["aps"]["alert"] == {"title": "Order placed"}
    assert push.headers["apns-push-type"] == "alert"
    assert toasts.pushed.to("bob") == []


def test_what_rang_no_phone_is_shown_with_why(client: FlaskClient, toasts: Toasts) -> None:
    assert repr(toasts.pushed) == "<pushed: nothing>"
    client.post("/orders")
    assert repr(toasts.pushed) == (
        "<pushed: nothing; published: 'Order placed' (undelivered: no_session)>"
    )


def test_an_item_that_is_not_there_is_told_with_what_is(
    client: FlaskClient, toasts: Toasts
) -> None:
    client.post("/orders")
    assert toasts.to("ada")[0].title == toasts.to("ada")[-1:][0].title == "Order placed"
    with pytest.raises(IndexError, match=r"^no \[1\] in <to ada: 'Order placed' \(undelivered"):
        toasts.to("ada")[1]
    with pytest.raises(IndexError, match=r"^no \[0\] in <to adda: nothing; ada got"):
        toasts.to("adda")[0]


def test_two_users_have_a_phone_each(app: Flask, toasts: Toasts) -> None:
    toasts.offline("ada")
    toasts.offline("bob")
    with app.app_context():
        publish_toasts(["ada", "bob"], "Hi")
    assert sorted(push.user_id for push in toasts.pushed) == ["ada", "bob"]


def test_more_pushes_than_are_made_side_by_side_are_all_seen(app: Flask, toasts: Toasts) -> None:
    toasts.offline("ada")
    titles = [str(number) for number in range(20)]
    with app.app_context():
        for title in titles:
            publish_toasts(["ada", "bob"], title)
    assert sorted(toasts.pushed.titles) == sorted(titles)


def test_where_no_push_is_wanted_nobody_can_be_offline(make_app: MakeApp, toasts: Toasts) -> None:
    other = toasts.of(make_app(fallback=[]))
    with pytest.raises(UsageError, match="TOASTKIT_FALLBACK wants no pushes"):
        other.offline("ada")


def test_controls_are_seen(app: Flask, toasts: Toasts) -> None:
    page = toasts.online("ada")
    with app.app_context():
        publish_control("usage.changed", {"left": 3}, "ada")
        publish_control("flags.changed")
    assert toasts.controls.kinds == ["usage.changed", "flags.changed"]
    assert toasts.controls.to("bob").kinds == ["flags.changed"]
    assert page.controls[0]["params"] == toasts.controls[0].params == {"left": 3}
    assert repr(toasts.controls[0]) == 'usage.changed {"left": 3} to ada'


def test_what_becomes_due_is_done_when_it_is_settled(make_app: MakeApp, toasts: Toasts) -> None:
    app = make_app(clock=ManualClock(), fallback=["apns@5m"])
    toasts = toasts.of(app)
    toasts.offline("ada")
    with app.app_context():
        publish_toast("ada", "Hi")
    toasts.clock.advance(299)
    toasts.settle()
    assert toasts.pushed == []
    toasts.clock.advance(1)
    toasts.settle()
    assert toasts.pushed.titles == ["Hi"]


def test_a_page_stays_open_however_far_the_clock_goes(make_app: MakeApp, toasts: Toasts) -> None:
    app = make_app(clock=ManualClock())
    toasts = toasts.of(app)
    page = toasts.online("ada")
    for _ in range(3):  # it is asked for a sign of life, and would be let go
        toasts.clock.advance(3600)
        toasts.settle()
    with app.app_context():
        publish_toast("ada", "Hi")
    assert page.titles == ["Hi"]


def test_pushes_are_seen_where_another_process_carries(make_app: MakeApp, toasts: Toasts) -> None:
    app = make_app(carry=False)
    toasts = toasts.of(app)
    toasts.offline("ada")
    with app.app_context():
        publish_toast("ada", "Hi")
    toasts.settle()
    assert toasts.pushed.titles == ["Hi"]


def test_a_clock_that_cannot_be_set_says_how(make_app: MakeApp, toasts: Toasts) -> None:
    with pytest.raises(UsageError, match=r"ToastKit\(app, clock=ManualClock\(\)\) or "):
        toasts.of(make_app()).clock.advance(1)


def test_nobody_stays_online_or_offline_after_the_test(app: Flask) -> None:
    kit: Kit = app.extensions["toastkit"].kit
    with recording(app) as toasts:
        toasts.offline("ada")
        toasts.online("ada")
        with app.test_client() as client:
            client.post("/login/ada")
            toasts.websocket(client).__enter__()
        assert kit.publish_toast("ada", "Hi").session_count == 2
    assert kit.node.roster.connections == set()
    assert kit.devices.of("ada") == []


# Nothing may leave


def test_no_push_leaves_an_app_with_a_key(make_app: MakeApp, apple: Apple) -> None:
    app = make_app(**apple.config())
    kit: Kit = app.extensions["toastkit"].kit
    kit.devices.register("ada", "phone", None, {"token": "ab" * 32})
    with recording(app) as toasts:
        kit.publish_toast("ada", "Hi")
        assert toasts.pushed.titles == ["Hi"]
    kit.publish_toast("ada", "For real")
    [request] = apple.wait(1)
    assert b"For real" in request.body


class Postman:
    """Be a sender of the host's own."""

    kind = "apns"

    def __init__(self) -> None:
        self.posted: list[str] = []
        self.closed = False

    def post(self, delivery: Delivery) -> Outcome:
        self.posted.append(delivery.payload["toast"]["title"])
        return Sent()

    def close(self) -> None:
        self.closed = True


def test_what_a_test_owed_does_not_leave_after_it_either(make_app: MakeApp) -> None:
    postman, clock = Postman(), ManualClock()
    app = make_app(senders=[postman], clock=clock, fallback=["apns@5m"])
    kit: Kit = app.extensions["toastkit"].kit
    kit.devices.register("ada", "phone", None, {"token": "ab" * 32})
    for title in ("first", "second"):
        with recording(app):
            kit.publish_toast("ada", title)
    kit.publish_toast("ada", "For real")
    clock.advance(300)
    [courier] = kit._couriers
    assert courier.settle(5)
    assert postman.posted == ["For real"]
    kit.close()
    assert postman.closed


def test_another_kind_of_sender_goes_on(make_app: MakeApp) -> None:
    mail = Postman()
    mail.kind = "email"
    app = make_app(senders=[mail], fallback=["email"])
    with recording(app) as toasts:
        assert toasts.kit.publish_toast("ada", "Hi").transport == "email"
        assert toasts.pushed == []
    assert mail.posted == ["Hi"]


# Which kit is meant


def test_without_an_app_the_only_kit_is_meant(tmp_path: Path) -> None:
    with recording() as toasts:
        with pytest.raises(UsageError, match=r"(no kit is|kits are) open"):
            toasts.to("ada")
        with Kit(Config(database_url=f"sqlite:///{tmp_path}/a.db")) as kit:
            assert kit.publish_toast("ada", "Hi").status == "undelivered"  # it serves, and decides
            assert toasts.to("ada").titles == ["Hi"]
            with Kit(Config(database_url=f"sqlite:///{tmp_path}/b.db")) as other:
                other.publish_toast("bob", "Ho")
                with pytest.raises(UsageError, match=r"toasts\.of\(app\)"):
                    toasts.to("ada")
                assert toasts.of(other).to("bob").titles == ["Ho"]


def test_the_current_app_is_meant_first(make_app: MakeApp) -> None:
    one, two = make_app(), make_app()
    with recording() as toasts:
        for app in (one, two):
            with app.app_context():
                publish_toast("ada", app.name)
                assert toasts.to("ada").titles == [app.name]
        assert repr(toasts.of(one).to("bob")) == "<to bob: nothing; ada got ['shop0']>"
        third = toasts.of(make_app())
        assert "nothing; another app published ['shop" in repr(third.to("ada"))


def test_what_is_no_app_is_refused_with_the_remedy() -> None:
    with recording() as toasts, pytest.raises(UsageError, match="neither a Kit nor a Flask app"):
        toasts.of(Flask("bare"))


def test_recordings_may_be_made_one_in_the_other(app: Flask, toasts: Toasts) -> None:
    kit: Any = app.extensions["toastkit"].kit
    kit.publish_toast("ada", "before")
    with recording(app) as inner:
        kit.publish_toast("ada", "within")
        assert inner.all.titles == ["within"]
    kit.publish_toast("ada", "after")
    assert toasts.all.titles == ["before", "within", "after"]


def test_a_kit_is_given_back_as_it_was(app: Flask) -> None:
    kit: Any = app.extensions["toastkit"].kit
    parts = [kit._publisher._sink, kit._publisher._serving, kit._publisher._beside]
    with recording(app) as toasts:
        toasts.offline("ada")
        kit.publish_toast("ada", "Hi")
    assert [kit._publisher._sink, kit._publisher._serving, kit._publisher._beside] == parts
    assert tuple(kit._senders.kinds) == ()
    assert kit.publish_toast("ada", "Hi").reason == "no_session"
