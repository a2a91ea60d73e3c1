"""What a blocking socket is given leaves whole and in order, or ends its connection."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.fakes import World, assert_empty
from toastkit.transports.portable import PortableTransport


def test_without_a_thread_to_write_in_a_connection_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    connection = world.admit()

    def refuse(_: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(world.runtime, "spawn", refuse)
    here, there = socket.socketpair()
    with here, there:
        connection.open(PortableTransport(world.runtime, world.config, here, connection))
        world.runtime.run()
        assert there.recv(1) == b""
    assert_empty(world.node)


def test_what_is_written_leaves_in_order_and_a_slow_reader_is_waited_for() -> None:
    world = World()
    connection = world.admit()
    here, there = socket.socketpair()
    with here, there:
        transport = PortableTransport(world.runtime, world.config, here, connection)
        connection.open(transport)
        world.runtime.run_job(), world.runtime.run()  # its greeting has left
        called: list[bool] = []
        assert transport.write(b"0") == 1
        transport.when_writable(lambda: called.append(True))
        world.runtime.run()
        assert called.pop(), "it leaves already, and there is room"
        for number in (1, 2):
            assert transport.write(b"%d" % number) == 1
        assert transport.write(bytes(65_536)) == 0, "there is no room behind what waits"
        transport.when_writable(lambda: called.append(True))
        world.runtime.run()
        assert not called, "asked again at once, and again, it would keep the loop busy"
        while world.runtime.jobs:
            world.runtime.run_job()
        assert there.recv(65_536).endswith(b"012")
    assert called
