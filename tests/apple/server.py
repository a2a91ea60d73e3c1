"""Apple's push service on this machine: HTTP/2 over TLS, its checks, its answers, its moods.

    papers = Papers(folder)                 the provider's key (.p8) and the authority to trust
    with Apple(papers) as apple:
        Config(**apple.config())            apns_team_id, apns_key_id, apns_key_file, apns_host, …
        apple.script(token, answer, …)      the next pushes to this token, one answer each
        apple.always(answer, token)         every further push to it; without a token: to anybody
        apple.decide = lambda request: …    an Answer, or None for whatever else is arranged
        apple.requests, apple.wait(3)       what came, in order; wait until so many have come
        apple.faults()                      what a correct client never causes: always assert it
        apple.taken()                       how often each apns-id reached its phone
        apple.connections, apple.busiest    how many there were, and the most streams on one

``Answer``, ``because("Unregistered")`` and ``TAKEN`` are in ``tests.apple.answers``.
"""

from __future__ import annotations

import itertools
import selectors
import socket
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from tests.apple import checks
from tests.apple.answers import TAKEN, Answer, because
from tests.apple.link import Link
from tests.apple.papers import KEY_ID, TEAM_ID, Papers
from tests.apple.request import Request


class Apple:
    """Answer pushes from one thread until it is closed.

    ``goaway_every``: each connection goes away after so many requests (0: never) and answers what
    it has begun after its farewell, which a client may not hear any more. ``streams_first`` is how
    many streams a connection may have until its first push was taken, ``streams`` how many after
    it. ``latency``: seconds before each answer. ``known``: the push tokens of this environment;
    ``None``: all. ``now`` is the wall clock in seconds that provider tokens are judged by. Any
    thread may call any method.
    """

    def __init__(
        self, papers: Papers, *, now: Callable[[], float] = time.time, port: int = 0
    ) -> None:
        self.papers, self.context = papers, papers.context()
        self.providers = checks.Providers(papers.public_key, now)
        self.goaway_every, self.latency = 0, 0.0
        self.streams_first, self.streams = 1, 1000
        self.known: set[str] | None = None
        self.decide: Callable[[Request], Answer | None] = lambda _request: None
        self.requests: list[Request] = []
        self.connections = self.busiest = 0
        self.holding = False
        self._complaints: list[str] = []
        self._scripts: dict[str, deque[Answer]] = defaultdict(deque)
        self._always: dict[str | None, Answer] = {}
        self._came = threading.Condition()
        self._links: set[Link] = set()
        self._jobs: deque[Callable[[], object]] = deque()
        self._selector = selectors.DefaultSelector()
        self._waker, self._bell = socket.socketpair()
        self._waker.setblocking(False)
        self._selector.register(self._waker, selectors.EVENT_READ)
        self._only_bell = selectors.DefaultSelector()
        self._only_bell.register(self._waker, selectors.EVENT_READ)
        self._listener: socket.socket | None = None
        self._frozen = self._ending = False
        self._numbers = itertools.count(1)
        self._listen(port)
        self._thread = threading.Thread(target=self._run, name="apple", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def host(self) -> str:
        """Return ``host:port``, as a setting names it."""
        return f"localhost:{self.port}"

    def config(self, sandbox: Apple | None = None) -> dict[str, Any]:
        """Return the settings of toastkit that send pushes here; ``sandbox`` is the other one."""
        return {
            "apns_team_id": TEAM_ID,
            "apns_key_id": KEY_ID,
            "apns_key_file": str(self.papers.key_file),
            "apns_host": self.host,
            "apns_sandbox_host": (sandbox or self).host,
            "apns_ca_file": str(self.papers.ca_file),
        }

    def script(self, token: str, *answers: Answer) -> None:
        """Answer the next requests to a push token so, one after the other."""
        self._scripts[token].extend(answers)

    def always(self, answer: Answer | None, token: str | None = None) -> None:
        """Answer every request so that no script is for; ``None`` takes it back."""
        if answer is None:
            self._always.pop(token, None)
        else:
            self._always[token] = answer

    def wait(self, many: int, seconds: float = 10) -> list[Request]:
        """Wait until so many requests have come; return all of them.

        Raises:
            AssertionError: they did not.
        """
        with self._came:
            came = self._came.wait_for(lambda: len(self.requests) >= many, seconds)
            assert came, f"{len(self.requests)} of {many} requests came"
            return list(self.requests)

    def faults(self) -> list[str]:
        """Return what Apple found wrong with requests and connections, by its own names."""
        found = [each.fault for each in list(self.requests) if each.fault]
        return [*found, *self._complaints]

    def taken(self) -> Counter[str]:
        """Return how often a push with each ``apns-id`` was taken."""
        return Counter(each.id for each in list(self.requests) if each.taken)

    def hold(self) -> None:
        """Give no answer until ``release``; requests are taken nevertheless."""
        self.holding = True

    def release(self) -> None:
        """Give every answer that was held."""
        self.holding = False
        self._do(lambda: None)

    def go_away(self) -> None:
        """Tell every connection to go away; what has come is still answered."""
        self._do(lambda: [link.go_away() for link in list(self._links)])

    def drop(self) -> None:
        """Reset every connection."""
        self._do(lambda: [link.drop() for link in list(self._links)])

    def leave(self) -> None:
        """Be away: connections are reset, new ones refused, until ``come_back``."""
        self._do(lambda: (self._unlisten(), [link.drop() for link in list(self._links)]))

    def come_back(self) -> None:
        """Be there again, on the same port."""
        self._do(lambda: self._listen(self.port))

    def freeze(self) -> None:
        """Be a black hole: whatever comes is left lying, until ``thaw``."""
        self._do(lambda: setattr(self, "_frozen", True))

    def thaw(self) -> None:
        """Go on with whatever has come meanwhile."""
        self._do(lambda: setattr(self, "_frozen", False))

    def close(self) -> None:
        """Reset every connection and end the thread."""
        if self._thread.is_alive():
            self._do(lambda: setattr(self, "_ending", True))
            self._thread.join()
        for link in list(self._links):
            link.close()
        self._unlisten()
        self._selector.close()
        self._only_bell.close()
        self._waker.close()
        self._bell.close()

    # From here on: what the thread does.

    def arrived(self, request: Request) -> Answer:
        """Keep a request; decide what becomes of it."""
        request.fault = checks.fault(request, self.providers)
        request.answer = answer = self._decided(request)
        with self._came:
            self.requests.append(request)
            request.number = len(self.requests)
            self._came.notify_all()
        return answer

    def complain(self, what: str) -> None:
        """Note what no correct client does."""
        self._complaints.append(what)

    def forget(self, link: Link) -> None:
        """Hear no more of a link that is closed."""
        self._links.discard(link)
        with suppress(KeyError):
            self._selector.unregister(link.sock)

    def _decided(self, request: Request) -> Answer:
        if request.fault is not None:
            return because(request.fault)
        if self.known is not None and request.token not in self.known:
            return because("BadDeviceToken")
        if self._scripts[request.token]:
            return self._scripts[request.token].popleft()
        usual = self._always.get(request.token) or self._always.get(None)
        return self.decide(request) or usual or TAKEN

    def _do(self, job: Callable[[], object]) -> None:
        """Have the thread do something; wait until it is done."""
        done = threading.Event()
        self._jobs.append(lambda: (job(), done.set()))
        self._bell.send(b"!")
        assert done.wait(10), "Apple hangs"

    def _run(self) -> None:
        while not self._ending:
            if self._frozen:
                self._only_bell.select()
                self._wake()
                continue
            ready = [key for key, _ in self._selector.select(self._patience())]
            for key in ready:
                if key.data is not None:
                    key.data.ready()
                elif key.fileobj is self._listener:
                    self._accept()
            # What came before it is not met by an Apple that has just left, or is frozen.
            if any(key.fileobj is self._waker for key in ready):
                self._wake()
            now = time.monotonic()
            for link in list(self._links):
                link.tick(now)
                self._watch(link)

    def _patience(self) -> float | None:
        due = min((link.next_due for link in self._links if link.next_due), default=None)
        return None if due is None else max(0.0, due - time.monotonic())

    def _wake(self) -> None:
        with suppress(BlockingIOError):
            self._waker.recv(1 << 10)
        while self._jobs:
            self._jobs.popleft()()

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            sock, _ = self._listener.accept()
        except OSError:  # it has gone again
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connections += 1
        link = Link(self, sock, next(self._numbers))
        self._links.add(link)
        self._selector.register(sock, selectors.EVENT_READ, link)

    def _watch(self, link: Link) -> None:
        if not link.closed:
            events = selectors.EVENT_READ | selectors.EVENT_WRITE * link.wants_to_write
            if self._selector.get_key(link.sock).events != events:
                self._selector.modify(link.sock, events, link)

    def _listen(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._selector.register(self._listener, selectors.EVENT_READ)

    def _unlisten(self) -> None:
        if self._listener is not None:
            with suppress(KeyError):
                self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None
