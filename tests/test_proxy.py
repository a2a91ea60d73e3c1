"""The network that tests harm: what it is told to do is what happens."""

import socket
import threading
import time

import pytest

from tests.proxy import DOWN, UP, Proxy

pytestmark = pytest.mark.plain


@pytest.fixture
def echo():
    """Run a server that says everything again."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(sock):
        with sock:
            try:
                while data := sock.recv(65_536):
                    sock.sendall(data)
            except ConnectionError:
                pass

    def accept():
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(sock,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield listener.getsockname()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


@pytest.fixture
def proxy(echo):
    with Proxy(echo) as proxy:
        yield proxy


@pytest.fixture
def client(proxy):
    with socket.create_connection(proxy.address, 5) as client:
        yield client


def said_again(client, data):
    client.sendall(data)
    return read(client, len(data))


def read(client, count):
    found = b""
    while len(found) < count:
        piece = client.recv(65_536)
        assert piece, "the end"
        found += piece
    return found


def test_every_byte_passes_and_is_counted(proxy, client):
    assert said_again(client, b"hello") == b"hello"
    assert (proxy.passed, proxy.came, proxy.connections, proxy.held) == (10, 1, 1, 0)


def test_much_passes_whole_through_full_sockets(proxy, client):
    data = bytes(range(256)) * 40_000
    sender = threading.Thread(target=client.sendall, args=(data,))
    sender.start()
    time.sleep(0.2)  # nobody reads: every buffer on the way is full
    assert read(client, len(data)) == data
    sender.join()
    assert proxy.passed == 2 * len(data)


def test_an_end_passes_too(proxy, client):
    client.sendall(b"last")
    client.shutdown(socket.SHUT_WR)
    assert read(client, 4) == b"last"
    assert client.recv(1) == b""
    while proxy.connections:
        time.sleep(0.01)


def test_delay_is_kept_in_both_directions(proxy, client):
    proxy.delay(0.1)
    began = time.monotonic()
    assert said_again(client, b"later") == b"later"
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("direction", [UP, DOWN])
def test_what_is_held_comes_when_it_is_healed_and_ends_are_held_too(proxy, client, direction):
    proxy.hold(direction)
    client.sendall(b"wait")
    client.shutdown(socket.SHUT_WR)
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.recv(1)
    assert proxy.held == 4
    client.settimeout(5)
    proxy.heal()
    assert read(client, 4) == b"wait"
    assert client.recv(1) == b""


def test_a_connection_is_cut_after_so_many_bytes(proxy, client):
    proxy.cut_after(7)
    client.sendall(b"hello")
    with pytest.raises(ConnectionResetError):
        read(client, 5)
    assert (proxy.passed, proxy.cuts, proxy.connections) == (7, 1, 0)


def test_everybody_is_reset(proxy, client):
    assert said_again(client, b"hello")
    assert proxy.reset() == 1
    with pytest.raises(ConnectionResetError):
        client.recv(1)


def test_whoever_comes_is_refused_until_it_is_healed(proxy):
    proxy.refuse()
    with (
        pytest.raises(ConnectionError),
        socket.create_connection(proxy.address, 5) as client,
    ):
        said_again(client, b"hello")
    proxy.heal()
    with socket.create_connection(proxy.address, 5) as client:
        assert said_again(client, b"hello") == b"hello"
    assert proxy.came == 2
