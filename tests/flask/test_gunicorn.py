"""The hooks by themselves; what they do to real workers is in tests/e2e."""

import signal
import socket
import sys
from types import SimpleNamespace

import pytest

from toastkit_flask import gunicorn

pytestmark = pytest.mark.plain


@pytest.fixture
def request_on():
    """Return a request of gunicorn's on a socket."""
    return lambda sock: SimpleNamespace(unreader=SimpleNamespace(sock=sock))


@pytest.fixture(autouse=True)
def quiet():
    interval, handler = sys.getswitchinterval(), signal.getsignal(signal.SIGTERM)
    yield
    sys.setswitchinterval(interval)
    signal.signal(signal.SIGTERM, handler)
    gunicorn._idle.clear()


def test_a_connection_is_idle_between_requests_only(request_on):
    with socket.socket() as sock:
        gunicorn.post_request(None, request_on(sock), {}, None)
        assert sock in gunicorn._idle
        gunicorn.pre_request(None, request_on(sock))
        assert sock not in gunicorn._idle


def test_a_socket_that_was_taken_or_closed_is_not_idle(request_on):
    sock = socket.socket()
    sock.close()
    gunicorn.post_request(None, request_on(sock), {}, None)
    assert not gunicorn._idle


def test_a_forgotten_connection_is_not_kept_alive(request_on):
    sock = socket.socket()
    gunicorn.post_request(None, request_on(sock), {}, None)
    sock.close()
    del sock
    assert not gunicorn._idle


def test_requests_without_a_socket_of_their_own_are_left_alone():
    gunicorn.pre_request(None, SimpleNamespace())
    gunicorn.post_request(None, SimpleNamespace(), {}, None)
    assert not gunicorn._idle


def test_a_request_that_was_not_answered_is_not_asked_about(request_on):
    unanswered = SimpleNamespace(status=None)  # gunicorn's should_close() fails then
    with socket.socket() as sock:
        gunicorn.post_request(None, request_on(sock), {}, unanswered)
        assert sock in gunicorn._idle


def test_a_threaded_worker_keeps_gunicorns_own_handler_and_hears_it_once():
    seen = []
    worker = SimpleNamespace(alive=True)

    def inner(number, _):
        seen.append(number)
        worker.alive = False

    signal.signal(signal.SIGTERM, inner)
    gunicorn.post_worker_init(worker)
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)
    assert seen == [signal.SIGTERM]
    assert sys.getswitchinterval() == pytest.approx(gunicorn.SWITCH_INTERVAL)
