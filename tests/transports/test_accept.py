"""The take-over, up to the servers themselves (tests/e2e), and what it leans on in them."""

import contextlib
import inspect
import os
import socket
import ssl

import gevent.socket
import gunicorn.http.wsgi
import gunicorn.workers.base_async
import gunicorn.workers.gthread
import pytest
import simple_websocket
import werkzeug.serving

from tests.transports.test_handshake import GOOD
from toastkit.config import Config
from toastkit.errors import Invalid, UnsupportedServer
from toastkit.runtime import runtime_for
from toastkit.transports import Arrival, refuse_compression
from toastkit.transports.accept import _hang_up, _take


@pytest.fixture
def runtime():
    runtime = runtime_for("threads")
    yield runtime
    runtime.close()


@pytest.fixture
def pair():
    server, client = socket.socketpair()
    client.settimeout(5)
    with server, client:
        yield server, client


def environ(**more):
    return {**GOOD, "HTTP_SEC_WEBSOCKET_EXTENSIONS": "permessage-deflate", **more}


def arrive(environ, runtime=None, **settings):
    return Arrival.from_environ(environ, runtime, Config(**settings))


class Held:
    """Be a connection that says one word and then waits."""

    def __init__(self):
        self.seen = []
        self.transport = None

    def __getattr__(self, name):
        return lambda *args: self.seen.append(name)

    def open(self, transport):
        self.transport = transport
        transport.write(b"greeting")


def test_the_answer_is_the_one_of_the_rfc_and_negotiates_nothing(runtime, pair):
    server, client = pair
    arrival, connection = arrive(environ(**{"gunicorn.socket": server}), runtime), Held()
    client.sendall(b"the client's first frame")
    arrival.open(connection)
    heard = b""
    while not heard.endswith(b"greeting"):
        heard += client.recv(4096)
    head, rest = heard.split(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    ]
    assert rest == b"greeting"
    runtime.ask(connection.transport.abort)


def test_nothing_of_the_server_reaches_the_client(runtime, pair):
    server, client = pair
    arrival, connection = arrive(environ(**{"gunicorn.socket": server}), runtime), Held()
    arrival.open(connection)
    with contextlib.suppress(OSError):
        server.sendall(b"HTTP/1.1 500 Internal Server Error")
    runtime.ask(lambda: None)  # the loop has begun
    runtime.ask(connection.transport.abort)
    heard = b""
    while part := client.recv(4096):
        heard += part
    assert heard.endswith(b"\r\n\r\ngreeting")


def test_the_server_finds_a_client_that_has_hung_up(runtime, pair):
    server, client = pair
    number = server.fileno()
    taken = _take(server, detach=False)
    assert server.fileno() == number
    server.setblocking(True)
    assert server.recv(10) == b""
    with pytest.raises(BrokenPipeError):
        server.sendall(b"HTTP/1.1 200 OK")
    server.shutdown(socket.SHUT_WR)
    server.close()
    taken.send(b"ours")
    assert client.recv(100) == b"ours"
    taken.close()


def test_hanging_up_leaks_no_descriptor(pair):
    before = len(os.listdir("/proc/self/fd"))
    _hang_up(pair[0])
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_cooperative_socket_is_emptied():
    server, client = socket.socketpair()
    cooperative = gevent.socket.socket(server.family, server.type, fileno=server.detach())
    number = cooperative.fileno()
    taken = _take(cooperative, detach=True)
    assert (taken.fileno(), cooperative.fileno()) == (number, -1)
    cooperative.close()
    taken.send(b"ours")
    assert client.recv(100) == b"ours"
    taken.close()
    client.close()


def test_a_client_that_has_gone_already_is_a_loss(runtime, pair):
    server, client = pair
    given = environ(**{"gunicorn.socket": server})
    arrival, connection = arrive(given, runtime), Held()
    client.close()
    arrival.open(connection)
    runtime.ask(lambda: None)
    assert connection.seen == ["lost"]


def test_a_client_that_does_not_read_its_head_is_a_loss(runtime, pair):
    given, connection = environ(**{"gunicorn.socket": pair[0]}), Held()
    arrive(given, runtime).stream(connection, bytes(1_000_000))
    runtime.ask(lambda: None)
    assert connection.seen == ["lost"]
    while pair[1].recv(65_536):  # what it got ends, and nothing comes after it
        pass


def test_a_stream_begins_with_its_head(runtime, pair):
    given, connection = environ(**{"gunicorn.socket": pair[0]}), Held()
    arrive(given, runtime).stream(connection, b"HTTP/1.1 200 OK\r\n\r\n")
    heard = b""
    while not heard.endswith(b"greeting"):
        heard += pair[1].recv(4096)
    assert heard == b"HTTP/1.1 200 OK\r\n\r\ngreeting"
    runtime.ask(connection.transport.abort)


def test_a_socket_that_cannot_be_taken_is_a_loss(runtime, pair):
    given, connection = environ(**{"gunicorn.socket": pair[0]}), Held()
    arrival = arrive(given, runtime)
    pair[0].close()
    arrival.open(connection)
    runtime.ask(lambda: None)
    assert connection.seen == ["lost"]


def test_a_bad_handshake_touches_nothing(pair):
    given = environ(**{"gunicorn.socket": pair[0], "HTTP_SEC_WEBSOCKET_VERSION": "8"})
    with pytest.raises(Invalid):
        arrive(given)
    assert given["gunicorn.socket"] is pair[0]


def test_a_server_that_keeps_its_socket_is_refused_in_one_line():
    with pytest.raises(UnsupportedServer) as caught:
        arrive(environ(SERVER_SOFTWARE="gevent/26.5 Python/3.13"))
    assert str(caught.value).startswith("gevent/26.5 Python/3.13 gives no socket to take over: ")
    assert "TOASTKIT_GATEWAY=portable" in str(caught.value)


@pytest.mark.parametrize("gateway", ["", "portable"])
def test_a_server_that_shows_no_socket_is_refused_in_either_gateway(gateway):
    with pytest.raises(UnsupportedServer) as caught:
        arrive(environ(SERVER_SOFTWARE="waitress"), **({"gateway": gateway} if gateway else {}))
    assert str(caught.value).startswith("waitress shows no socket to its apps, ")
    assert "portable" not in str(caught.value)  # it would not help


def test_tls_of_the_server_itself_is_refused_in_one_line(pair):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    plain = socket.socket()
    with context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False) as sock:
        with pytest.raises(UnsupportedServer, match="TLS") as caught:
            arrive(environ(**{"gunicorn.socket": sock}))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [{"SERVER_SOFTWARE": "gevent/26.5"}, {"eventlet.input": object()}],
    ids=["gevent", "eventlet"],
)
def test_the_portable_gateway_takes_servers_that_keep_their_socket(given):
    assert arrive(environ(**given), gateway="portable").portable


def test_no_compression_is_negotiated_for_us(pair):
    given = environ(**{"werkzeug.socket": pair[0]})
    refuse_compression(given)
    simple_websocket.Server(given)
    answer = pair[1].recv(4096)
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"Extensions" not in answer


# What other packages promise nobody, and the take-over leans on. A failure here says: look at
# the new version before you allow it.


def test_canary_gunicorn_and_werkzeug_put_their_socket_into_the_environ():
    assert '"gunicorn.socket": sock' in inspect.getsource(gunicorn.http.wsgi.default_environ)
    environ = inspect.getsource(werkzeug.serving.WSGIRequestHandler.make_environ)
    assert '"werkzeug.socket": self.connection' in environ


def test_canary_gunicorn_ends_a_request_quietly_at_stop_iteration():
    for worker in (gunicorn.workers.base_async.AsyncWorker, gunicorn.workers.gthread.ThreadWorker):
        assert "except StopIteration as e:" in inspect.getsource(worker.handle)


def test_canary_werkzeug_takes_a_broken_pipe_for_a_client_that_has_gone():
    assert issubclass(BrokenPipeError, werkzeug.serving.connection_dropped_errors)
