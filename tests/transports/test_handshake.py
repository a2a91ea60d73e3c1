import pytest
from simple_websocket import Server

from toastkit.errors import Invalid
from toastkit.transports.handshake import ensure_handshake

GOOD = {
    "REQUEST_METHOD": "GET",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "HTTP_HOST": "localhost",
    "HTTP_UPGRADE": "websocket",
    "HTTP_CONNECTION": "Upgrade",
    "HTTP_SEC_WEBSOCKET_VERSION": "13",
    "HTTP_SEC_WEBSOCKET_KEY": "dGhlIHNhbXBsZSBub25jZQ==",
}
FINE = {
    "as browsers do": {"HTTP_CONNECTION": "keep-alive, Upgrade"},
    "in capitals": {"HTTP_UPGRADE": "WebSocket", "HTTP_CONNECTION": "UPGRADE"},
    "with an empty body": {"CONTENT_LENGTH": "0"},
    "with any header": {"HTTP_X_ANY": "a \t b", "HTTP_COOKIE": "a=\x01\x7f; b=ü"},
    "with an empty header": {"HTTP_X_EMPTY": ""},
    "with a strange name": {"HTTP_!#$%&'*+.^_`|~9": "a"},
    "with a sub-protocol": {"HTTP_SEC_WEBSOCKET_PROTOCOL": "toastkit, other"},
    "on a port": {"HTTP_HOST": "[::1]:8000"},
    "for a Host with an endless label": {"HTTP_HOST": "a" * 64},
    "for a Host with an empty label": {"HTTP_HOST": "a..b"},
}
REFUSED = {
    "another method": ({"REQUEST_METHOD": "POST"}, "method"),
    "HTTP/1.0": ({"SERVER_PROTOCOL": "HTTP/1.0"}, "protocol"),
    "no Upgrade": ({"HTTP_UPGRADE": None}, "missing"),
    "another Upgrade": ({"HTTP_UPGRADE": "h2c"}, "missing"),
    "two Upgrades": ({"HTTP_UPGRADE": "websocket, h2c"}, "missing"),
    "no Connection": ({"HTTP_CONNECTION": None}, "missing"),
    "Connection without Upgrade": ({"HTTP_CONNECTION": "keep-alive"}, "missing"),
    "no version": ({"HTTP_SEC_WEBSOCKET_VERSION": None}, "version"),
    "an old version": ({"HTTP_SEC_WEBSOCKET_VERSION": "8"}, "version"),
    "two versions": ({"HTTP_SEC_WEBSOCKET_VERSION": "13, 8"}, "version"),
    "no key": ({"HTTP_SEC_WEBSOCKET_KEY": None}, "key"),
    "an empty key": ({"HTTP_SEC_WEBSOCKET_KEY": ""}, "key"),
    "a short key": ({"HTTP_SEC_WEBSOCKET_KEY": "c2hvcnQ="}, "key"),
    "a long key": ({"HTTP_SEC_WEBSOCKET_KEY": "dGhlIHNhbXBsZSBub25jZSE="}, "key"),
    "a key that is no base64": ({"HTTP_SEC_WEBSOCKET_KEY": "!" * 24}, "key"),
    "a key with line breaks": ({"HTTP_SEC_WEBSOCKET_KEY": "dGhlIHNhbXBsZSBub25j\nZQ="}, "key"),
    "a key beyond ASCII": ({"HTTP_SEC_WEBSOCKET_KEY": "ü" * 24}, "key"),
    "two keys": ({"HTTP_SEC_WEBSOCKET_KEY": GOOD["HTTP_SEC_WEBSOCKET_KEY"] + ",x"}, "key"),
    "a body": ({"CONTENT_LENGTH": "5"}, "body"),
    "a chunked body": ({"HTTP_TRANSFER_ENCODING": "chunked"}, "body"),
    "no Host": ({"HTTP_HOST": None}, "host"),
    "an empty Host": ({"HTTP_HOST": ""}, "host"),
    "a Host beyond ASCII": ({"HTTP_HOST": "exämple"}, "host"),
    "a Host with a broken label": ({"HTTP_HOST": "xn--zzzz99999999"}, "host"),
    "a NUL": ({"HTTP_X_ANY": "a\x00b"}, "characters"),
    "a line break": ({"HTTP_X_ANY": "a\r\nInjected: yes"}, "characters"),
    "a vertical tab": ({"HTTP_X_ANY": "a\x0bb"}, "characters"),
    "a blank at the edge": ({"HTTP_X_ANY": " a"}, "characters"),
    "a name that is no token": ({"HTTP_A@B": "1"}, "characters"),
    "a name with a bracket": ({"HTTP_A(B": "1"}, "characters"),
    "no name": ({"HTTP_": "1"}, "characters"),
}


class Sink:
    """Take what the handshake sends; have nothing to read."""

    def __init__(self):
        self.sent = b""

    def send(self, data):
        self.sent += data
        return len(data)

    def recv(self, _):
        raise OSError

    def close(self):
        pass


def environ(changes):
    changed = {**GOOD, **changes}
    return {name: value for name, value in changed.items() if value is not None}


@pytest.mark.parametrize("changes", FINE.values(), ids=FINE)
def test_what_we_let_through_the_handshake_accepts(changes):
    ensure_handshake(environ(changes))
    sink = Sink()
    Server({**environ(changes), "werkzeug.socket": sink})
    assert sink.sent.startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize(("changes", "type"), REFUSED.values(), ids=REFUSED)
def test_what_the_handshake_would_fail_on_is_refused_before(changes, type):
    with pytest.raises(Invalid) as caught:
        ensure_handshake(environ(changes))
    assert caught.value.type == type
