"""Which channels are subscribed as clients come and go."""

from __future__ import annotations

from typing import cast

import pytest

from toastkit.backplane.redis.keys import Keys
from toastkit.backplane.redis.listener import Listener
from toastkit.backplane.redis.routes import Routes

pytestmark = pytest.mark.plain
CHANNEL = Keys("t").channel("user:u1").encode()


class Wanted:
    """Remember what is wanted, and how often it was said."""

    def __init__(self) -> None:
        self.said: list[tuple[str, bytes]] = []

    def want(self, channel: bytes) -> None:
        self.said.append(("want", channel))

    def leave(self, channel: bytes) -> None:
        self.said.append(("leave", channel))


@pytest.fixture
def wanted() -> Wanted:
    return Wanted()


@pytest.fixture
def routes(wanted: Wanted) -> Routes:
    routes = Routes(Keys("t"), cast("Listener", wanted))
    routes.join("user:u1")
    assert wanted.said == [("want", CHANNEL)]
    wanted.said.clear()
    return routes


def test_a_channel_is_left_at_the_second_tick_and_known_till_then(
    routes: Routes, wanted: Wanted
) -> None:
    routes.leave("user:u1")
    routes.tick()
    assert (routes.find(CHANNEL), routes.joined("user:u1"), wanted.said) == ("user:u1", False, [])
    routes.tick()
    assert (routes.find(CHANNEL), wanted.said) == (None, [("leave", CHANNEL)])
    routes.tick()
    assert len(wanted.said) == 1


def test_who_comes_and_goes_again_is_waited_for_as_long(routes: Routes, wanted: Wanted) -> None:
    for _ in range(3):
        routes.leave("user:u1")
        routes.tick()
        routes.join("user:u1")
        routes.tick()
        assert wanted.said == []
    routes.leave("user:u1")
    routes.tick()
    assert wanted.said == []


def test_channels_that_are_none_of_ours_have_no_route(routes: Routes) -> None:
    assert routes.named([CHANNEL, b"another"]) == ["user:u1"]
