"""A TCP proxy that does what networks do: delay, hold everything back, reset, cut in the middle.

    with Proxy(("127.0.0.1", 6379)) as proxy:
        Config(redis_url=f"redis://{proxy.host}/0")
        proxy.hold()      # a partition: no byte and no FIN gets through, connections stay open
        proxy.heal()
        proxy.reset()     # RST on every connection

It counts, so that a test can show that its fault has happened: ``passed`` bytes, ``held`` bytes
that wait at this moment, ``came`` connections, ``resets``, ``cuts``.
"""

import selectors
import socket
import struct
import threading
import time
from collections import deque
from contextlib import suppress

PIECE = 65_536
AT_ONCE = struct.pack("ii", 1, 0)
UP, DOWN = "up", "down"


class Proxy:
    """Stand between clients and one server, in a thread of its own."""

    def __init__(self, to):
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._listener.setblocking(False)
        self.address = self._listener.getsockname()
        self.host = "{}:{}".format(*self.address)
        self._passed = self.came = self.resets = self.cuts = 0
        self._delay = 0.0
        self._holding = frozenset()
        self._left = None
        self._refusing = False
        self._pairs = []
        self._asked = deque()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._bell, self._ring = socket.socketpair()
        self._bell.setblocking(False)
        self._selector.register(self._bell, selectors.EVENT_READ, self._answer_bell)
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._do(self._end)
        self._thread.join()
        self._selector.close()
        for sock in (self._listener, self._bell, self._ring):
            sock.close()

    @property
    def passed(self):
        """Return how many bytes went through; what somebody has received is among them."""
        return self._do(lambda: self._passed)

    @property
    def held(self):
        """Return how many bytes wait here that hold or delay keep back, as far as they were read."""
        return self._do(lambda: sum(way.size for pair in self._pairs for way in pair.ways))

    @property
    def connections(self):
        """Return how many connections go through at this moment."""
        return self._do(lambda: len(self._pairs))

    def delay(self, seconds):
        """Let every byte come that much later, in both directions."""
        self._set(_delay=seconds)

    def hold(self, *directions):
        """Let nothing through: bytes, ends and new connections wait (``UP``, ``DOWN``, or both)."""
        self._set(_holding=frozenset(directions or (UP, DOWN)))

    def cut_after(self, count):
        """Reset the connection that carries the last of so many bytes more, of all together."""
        self._set(_left=count)

    def refuse(self):
        """Reset whoever comes, and whoever is there: as if nobody listened."""
        self._set(_refusing=True)
        self.reset()

    def reset(self):
        """Reset every connection there is; return how many there were."""
        return self._do(self._reset_all)

    def heal(self):
        """Let everything through again; what was held comes now."""
        self._set(_delay=0.0, _holding=frozenset(), _left=None, _refusing=False)

    # In the thread

    def _set(self, **values):
        self._do(lambda: self.__dict__.update(values))

    def _do(self, job):
        """Run a job in the thread, between two bytes, and return its result."""
        done, result = threading.Event(), []
        self._asked.append(lambda: (result.append(job()), done.set()))
        self._ring.send(b"!")
        assert done.wait(10), "the proxy's thread is stuck"
        return result[0]

    def _answer_bell(self):
        self._bell.recv(PIECE)
        while self._asked:
            self._asked.popleft()()

    def _run(self):
        while not self._ended:
            for key, _ in self._selector.select(self._patience()):
                key.data()
            now = time.monotonic()
            for pair in list(self._pairs):
                pair.move(now)

    def note(self, sent):
        """Count bytes that have passed; tell whether their connection is to be cut now."""
        self._passed += sent
        if self._left is not None:
            self._left -= sent
            if self._left == 0:
                self._left = None
                self.cuts += 1
                return True
        return False

    def _patience(self):
        dues = [
            due
            for pair in self._pairs
            for way in pair.ways
            if (due := way.due(self._holding)) is not None
        ]
        return max(0.0, min(dues) - time.monotonic()) if dues else None

    def _accept(self):
        with suppress(OSError):
            client, _ = self._listener.accept()
            self.came += 1
            if self._refusing:
                reset(client)
                return
            try:
                server = socket.create_connection(self._to, 1)
            except OSError:  # nobody listens there either
                reset(client)
                return
            self._pairs.append(_Pair(self, client, server))

    def _reset_all(self):
        many = len(self._pairs)
        for pair in list(self._pairs):
            pair.reset()
        return many

    def _end(self):
        self._ended = True
        for pair in list(self._pairs):
            pair.close()


class _Way:
    """Bytes on their way in one direction; ``b""`` is the end."""

    def __init__(self, name, source, target):
        self.name, self.source, self.target = name, source, target
        self.pieces = deque()
        self.size = 0
        self.stuck = self.over = False

    def due(self, holding):
        """Return when the first piece may go on."""
        if not self.pieces or self.name in holding or self.stuck:
            return None
        return self.pieces[0][0]


class _Pair:
    """One connection: the client's socket, the server's, and what is between them."""

    def __init__(self, proxy, client, server):
        self._proxy = proxy
        self.ways = (_Way(UP, client, server), _Way(DOWN, server, client))
        self._ended = 0
        for way in self.ways:
            way.source.setblocking(False)
            way.source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._watch_all()

    def _reader(self, way, back):
        def ready():
            if self not in self._proxy._pairs:
                return  # closed by what came before in the same look
            back.stuck = False  # readable or writable: what was full is tried again
            self._watch(way.source, back)
            if not way.over:
                self._read(way)

        return ready

    def _read(self, way):
        try:
            data = way.source.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            self.reset()
            return
        way.pieces.append((time.monotonic() + self._proxy._delay, data))
        way.size += len(data)
        way.over = not data
        self._watch_all()

    def move(self, now):
        for way in self.ways:
            while self in self._proxy._pairs:
                due = way.due(self._proxy._holding)
                if due is None or due > now:
                    break
                self._pass_on(way)

    def _pass_on(self, way):
        due, data = way.pieces.popleft()
        if not data:
            self._end(way)
            return
        part = data[: self._proxy._left]
        try:
            sent = way.target.send(part)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.reset()
            return
        way.size -= sent
        if sent < len(data):
            way.pieces.appendleft((due, data[sent:]))
        way.stuck = sent < len(part)
        if self._proxy.note(sent):
            self.reset()
        else:
            self._watch_all()

    def _end(self, way):
        with suppress(OSError):
            way.target.shutdown(socket.SHUT_WR)
        self._ended += 1
        if self._ended == len(self.ways):
            self.close()

    def _watch_all(self):
        for way, back in (self.ways, self.ways[::-1]):
            self._watch(way.source, back)

    def _watch(self, sock, back):
        """Listen to a socket for what may happen next: it says more, or has room again."""
        selector, (way,) = self._proxy._selector, (each for each in self.ways if each is not back)
        reading = 0 if way.over else selectors.EVENT_READ
        events = reading | (selectors.EVENT_WRITE if back.stuck else 0)
        known = selector.get_map().get(sock)
        if known is None:
            if events:
                selector.register(sock, events, self._reader(way, back))
        elif not events:
            selector.unregister(sock)
        elif events != known.events:
            selector.modify(sock, events, known.data)

    def reset(self):
        if self in self._proxy._pairs:
            self._proxy.resets += 1
            for way in self.ways:
                with suppress(OSError):
                    way.source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            self.close()

    def close(self):
        if self in self._proxy._pairs:
            self._proxy._pairs.remove(self)
            for way in self.ways:
                with suppress(KeyError):
                    self._proxy._selector.unregister(way.source)
                way.source.close()


def reset(sock):
    """Close a socket with RST: whoever is at the other end sees an error."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    sock.close()
