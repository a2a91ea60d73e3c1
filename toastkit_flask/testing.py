"""Talk to an app's gateway in its tests as a browser would, without a server."""

from __future__ import annotations

import json
import socket
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from itertools import count
from typing import Any, Self
from urllib.parse import urlencode

from flask.testing import FlaskClient
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    CloseConnection,
    Event,
    Ping,
    Request,
    TextMessage,
)
from wsproto.utilities import ProtocolError

from toastkit.clock import SystemClock
from toastkit.errors import UsageError

from .guards import OWN_PAGE_HEADER
from .state import state

SECONDS = 2.0
"""How long what is to come is waited for."""

ENDED = 1006
"""What a browser says where a connection ended without a farewell (RFC 6455 7.1.5)."""


class WebSocketClient:
    """Be a page that is signed in as a Flask test client is, and connected to the gateway.

    Goes through the app's own routes: the ticket is fetched with the client's cookies and
    ``headers``, the handshake is made over a pair of sockets. ``topics`` are those to listen to, by
    default the user's own; ``token`` is a ticket to come with instead. ``query`` is what else the
    URL says, such as ``state="background"``. Connects as a context manager: ``greeting`` is the
    first frame, unless that was a refusal. ``note`` says more where nothing came.
    """

    def __init__(
        self,
        client: FlaskClient,
        *,
        topics: list[str] | None = None,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
        note: Callable[[], str] = lambda: "",
    ) -> None:
        self._client = client
        self._topics = topics
        self._token = token
        self._headers = headers or {}
        self._query = query or {}
        self._note = note
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._clock = SystemClock()
        self._half = ""
        self._came: deque[dict[str, Any]] = deque()
        self._ids = count(1)
        self._sock: socket.socket | None = None
        self.greeting: dict[str, Any] | None = None
        self.close_code: int | None = None
        self.close_reason = ""

    def __enter__(self) -> Self:
        __tracebackhide__ = True
        try:
            self._connect()
            self._wait(lambda: self._came or self.close_code, SECONDS)
        except BaseException:
            self._let_go()
            raise
        if self._came and self._came[0]["type"] == "connection_ack":
            self.greeting = self._came.popleft()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def receive(self, seconds: float = SECONDS) -> dict[str, Any]:
        """Return the next frame; pings are answered meanwhile.

        Raises:
            AssertionError: none came in time, or the gateway has closed the connection.
        """
        __tracebackhide__ = True
        self._wait(lambda: self._came or self.close_code, seconds)
        if self._came:
            return self._came.popleft()
        self._ensure_open()
        topics = (self.greeting or {}).get("topics", [])
        raise AssertionError(
            f"nothing came within {seconds:g} seconds to a client that listened to "
            f"{', '.join(topics) or 'nothing'} when it connected{self._note()}"
        )

    def pending(self) -> list[dict[str, Any]]:
        """Return the frames that have come and were not received yet; waits for none."""
        self.catch_up()
        came = list(self._came)
        self._came.clear()
        return came

    def catch_up(self) -> None:
        """Read what has come, for ``receive``, and answer pings; waits for nothing."""
        self._wait(lambda: False, 0)

    def send(self, message: dict[str, Any] | str) -> None:
        """Send one message: an object, or text as it is.

        Raises:
            AssertionError: the gateway has closed the connection.
        """
        __tracebackhide__ = True
        self._ensure_open()
        text = message if isinstance(message, str) else json.dumps(message)
        self._write(TextMessage(data=text))

    def ask(self, message: dict[str, Any], seconds: float = SECONDS) -> dict[str, Any]:
        """Send a message and return its answer; what comes before that is received later.

        Raises:
            AssertionError: no answer came in time.
        """
        __tracebackhide__ = True
        id = message.setdefault("id", f"test-{next(self._ids)}")
        self.send(message)

        def answers() -> list[dict[str, Any]]:
            return [frame for frame in self._came if frame.get("id") == id]

        self._wait(lambda: answers() or self.close_code, seconds)
        for answer in answers():
            self._came.remove(answer)
            return answer
        why = f": {self._farewell()}" if self.close_code is not None else ""
        raise AssertionError(f"no answer to {message} came within {seconds:g} seconds{why}")

    def subscribe(self, *topics: str) -> dict[str, Any]:
        """Subscribe to topics and return the answer."""
        return self.ask({"type": "subscribe", "topics": list(topics)})

    def ack(self, *toast_ids: str) -> dict[str, Any]:
        """Confirm toasts and return the answer."""
        return self.ask({"type": "ack", "ids": list(toast_ids)})

    def look(self, state: str) -> dict[str, Any]:
        """Be in the ``foreground`` or in the ``background``, and return the answer."""
        return self.ask({"type": "state", "state": state})

    def closed(self, seconds: float = SECONDS) -> int:
        """Wait until the gateway closes the connection, and return its code.

        Raises:
            AssertionError: it does not.
        """
        __tracebackhide__ = True
        self._wait(lambda: self.close_code, seconds)
        if self.close_code is None:
            raise AssertionError(
                f"the gateway kept the connection open for {seconds:g} seconds; so far came "
                f"{list(self._came)}"
            )
        return self.close_code

    def close(self, code: int = 1000) -> None:
        """Say farewell and hang up; harmless when that has been done."""
        if self._sock is not None and self.close_code is None:
            self._write(CloseConnection(code=code))
            self._wait(lambda: self.close_code, SECONDS)
        self._let_go()

    def _ensure_open(self) -> None:
        __tracebackhide__ = True
        if self.close_code is not None:
            raise AssertionError(f"the gateway closed the connection: {self._farewell()}")

    def _farewell(self) -> str:
        return f"{self.close_code} {self.close_reason}".rstrip()

    # The handshake

    def _connect(self) -> None:
        kit = state(self._client.application).kit
        config = kit.config
        token = self._ticket(config.url_prefix) if self._token is None else self._token
        query = urlencode({"token": token, **self._query} if token else self._query)
        path = f"{config.url_prefix}/v1/realtime?{query}"
        asked = self._protocol.send(Request(host="localhost", target=path))
        headers = [line.split(": ", 1) for line in asked.decode().split("\r\n")[1:] if line]
        given = {name: value for name, value in headers if name.lower() != "host"}
        ours, self._sock = socket.socketpair()

        def shake_hands() -> Any:
            with ours:
                environ = {"werkzeug.socket": ours}
                headers = {**given, **self._headers}
                return self._client.open(path, headers=headers, environ_overrides=environ)

        if config.gateway == "portable":
            kit.node.runtime.spawn(shake_hands)  # the server serves this client there to its end
            return
        answer = shake_hands()
        if answer.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            raise AssertionError(f"the handshake was refused: {_told(answer)}")

    def _ticket(self, prefix: str) -> str:
        wanted = {} if self._topics is None else {"default_topics": self._topics}
        headers = {OWN_PAGE_HEADER: "1", **self._headers}
        path = f"{prefix}/v1/sessions/toast-bootstrap"
        answer = self._client.post(path, json=wanted, headers=headers)
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            raise UsageError(
                "nobody is signed in on this test client: sign in first, as a browser would, or "
                f"give headers= ({_told(answer)})"
            )
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            raise UsageError(
                "this user has connected too often for TOASTKIT_BOOTSTRAP_RATE: set "
                f"TOASTKIT_RATE_LIMITS = False for these tests ({_told(answer)})"
            )
        if answer.status_code != HTTPStatus.OK:
            raise UsageError(f"no ticket was to be had: {_told(answer)}")
        token: str = answer.get_json()["token"]
        return token

    # Bytes

    def _write(self, event: Event) -> None:
        if self._sock is None:
            raise UsageError("this client is not connected: use it in a with block")
        try:
            self._sock.sendall(self._protocol.send(event))
        except OSError:
            self._end(ENDED, "")

    def _wait(self, there: Callable[[], object], seconds: float) -> None:
        """Read until it is there, or time is up; what has come already is read in any case."""
        until = self._clock.monotonic() + seconds
        while not there() and self._sock is not None and self.close_code is None:
            left = until - self._clock.monotonic()
            self._sock.settimeout(max(left, 0.0))
            try:
                data = self._sock.recv(65_536)
            except (TimeoutError, BlockingIOError):
                return
            except OSError:
                data = b""
            self._take(data)

    def _take(self, data: bytes) -> None:
        self._protocol.receive_data(data or None)
        try:
            for event in self._protocol.events():
                self._hear(event)
        except ProtocolError as error:
            raise AssertionError(f"the gateway broke the protocol: {error}") from error
        if not data:
            self._end(ENDED, "")

    def _hear(self, event: Event) -> None:
        if isinstance(event, TextMessage):
            self._half += event.data
            if event.message_finished:
                text, self._half = self._half, ""
                self._came.append(json.loads(text))
        elif isinstance(event, Ping):
            self._write(event.response())
        elif isinstance(event, CloseConnection):
            self._end(int(event.code), event.reason or "")

    def _end(self, code: int, reason: str) -> None:
        if self.close_code is None:
            self.close_code, self.close_reason = code, reason

    def _let_go(self) -> None:
        sock, self._sock = self._sock, None
        if sock is not None:
            sock.close()


def _told(answer: Any) -> str:
    return f"{answer.status_code} {answer.get_data(as_text=True)[:500].strip()}"
