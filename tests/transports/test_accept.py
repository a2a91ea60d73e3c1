"""The take-over, up to the servers themselves (tests/e2e), and what it leans on in them."""

import inspect
import os
import socket
import ssl
import threading

import flask_sock
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
from toastkit.transports import Arrival
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


class Quiet:
    """Be a connection that says nothing and notes what it is told."""

    def __init__(self):
        self.seen = []
        self.gone = threading.Event()

    def open(self, _):
        self.seen.append("open")

    def lost(self):
        self.seen.append("lost")

    def closed(self):
        self.seen.append("closed")
        self.gone.set()


def test_no_compression_is_negotiated(pair):
    given = environ(**{"werkzeug.socket": pair[0]})
    arrive(given)
    simple_websocket.Server(given)
    answer = pair[1].recv(4096)
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"Extensions" not in answer


def test_only_the_101_leaves_before_the_greeting(runtime, pair):
    server, client = pair
    given = environ(**{"gunicorn.socket": server})
    arrival, connection = arrive(given, runtime), Held()
    ws = simple_websocket.Server(given)
    client.sendall(b"the client's first frame")
    arrival.open(connection, ws)
    ws.connected = True
    ws.close()
    heard = b""
    while not heard.endswith(b"greeting"):
        heard += client.recv(4096)
    assert heard.count(b"\r\n\r\n") == 1
    assert heard.endswith(b"\r\n\r\ngreeting")
    runtime.ask(connection.transport.abort)


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
    arrival, connection = arrive(given, runtime), Quiet()
    client.close()
    arrival.open(connection)
    connection.gone.wait(5)
    assert connection.seen == ["open", "lost", "closed"]


def test_an_abandoned_arrival_puts_everything_back(runtime, pair):
    given = environ(**{"gunicorn.socket": pair[0]})
    arrival, connection = arrive(given, runtime), Held()
    assert given["gunicorn.socket"] is not pair[0]
    arrival.abandon(connection)
    runtime.ask(lambda: None)
    assert given["gunicorn.socket"] is pair[0]
    assert connection.seen == ["lost"]


def test_a_bad_handshake_touches_nothing(pair):
    given = environ(**{"gunicorn.socket": pair[0], "HTTP_SEC_WEBSOCKET_VERSION": "8"})
    with pytest.raises(Invalid):
        arrive(given)
    assert given["gunicorn.socket"] is pair[0]


def test_an_unknown_server_is_refused_in_one_line():
    with pytest.raises(UnsupportedServer) as caught:
        arrive(environ(SERVER_SOFTWARE="waitress"))
    assert str(caught.value).startswith("waitress gives no socket to take over: ")
    assert "TOASTKIT_GATEWAY=portable" in str(caught.value)


def test_tls_of_the_server_itself_is_refused_in_one_line(pair):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    plain = socket.socket()
    with context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False) as sock:
        with pytest.raises(UnsupportedServer, match="TLS") as caught:
            arrive(environ(**{"gunicorn.socket": sock}))
        assert "\n" not in str(caught.value)


def test_the_portable_gateway_takes_any_server():
    given = environ(SERVER_SOFTWARE="waitress")
    arrive(given, gateway="portable")
    assert "HTTP_SEC_WEBSOCKET_EXTENSIONS" not in given


# What other packages promise nobody, and the take-over leans on. A failure here says: look at
# the new version before you allow it.


def test_canary_gunicorn_and_werkzeug_put_their_socket_into_the_environ():
    assert '"gunicorn.socket": sock' in inspect.getsource(gunicorn.http.wsgi.default_environ)
    environ = inspect.getsource(werkzeug.serving.WSGIRequestHandler.make_environ)
    assert '"werkzeug.socket": self.connection' in environ


def test_canary_simple_websocket_takes_the_socket_from_there_and_sends_once():
    source = inspect.getsource(simple_websocket.Server.__init__)
    assert "environ.get('werkzeug.socket')" in source
    assert "environ.get('gunicorn.socket')" in source
    base = inspect.getsource(simple_websocket.ws.Base)
    assert {part.split("(")[0] for part in base.split("self.sock.")[1:]} == {
        "send",
        "recv",
        "close",
    }


def test_canary_flask_sock_ends_the_response_without_writing():
    source = inspect.getsource(flask_sock.Sock.route)
    assert "Server(request.environ" in source
    assert "raise StopIteration()" in source


def test_canary_gunicorn_ends_a_request_quietly_at_stop_iteration():
    for worker in (gunicorn.workers.base_async.AsyncWorker, gunicorn.workers.gthread.ThreadWorker):
        assert "except StopIteration as e:" in inspect.getsource(worker.handle)


def test_canary_werkzeug_takes_a_broken_pipe_for_a_client_that_has_gone():
    assert issubclass(BrokenPipeError, werkzeug.serving.connection_dropped_errors)
