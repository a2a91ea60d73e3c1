"""One connection to the push service, which many threads or greenlets ask over at once."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Sequence
from functools import partial

from h2.exceptions import ProtocolError

from ...clock import Deadline
from .answers import Answer
from .faults import NotTaken, Unreachable, Untrusted
from .reaching import reach
from .settings import address
from .streams import Stream, Streams
from .tls import CHUNK, Tls

QUIET_ROUNDS = 6
"""Waits with nothing to read before a sign of life is asked for: a minute."""

LAST_STREAM = (1 << 31) - 1


class Line:
    """Ask over one connection, from any number of threads; it is read by a thread of its own.

    TLS and HTTP/2 are worked in memory under one lock, for neither bears two threads at once.
    Nobody waits for the network under it, and what several have to send leaves together.

    ``seconds`` is the longest time for an answer, and for anything to leave.
    """

    def __init__(self, host: str, connected: socket.socket, tls: Tls, seconds: float) -> None:
        self._host = host
        self._socket = connected
        self._tls = tls
        self._seconds = seconds
        self._state = threading.Condition(threading.Lock())
        self._sending = threading.Lock()
        self._streams = Streams()
        self._heard = 0
        self._retired = self._mute = self._ended = False
        threading.Thread(target=self._listen, name="toastkit-apns", daemon=True).start()

    @classmethod
    def connect(cls, host: str, trust: ssl.SSLContext, seconds: float) -> Line:
        """Connect to ``host`` or ``host:port``, in ``seconds`` for all of it.

        Raises:
            Unreachable: nobody is there, or not the one that was meant.
        """
        name, port = address(host)
        deadline = Deadline(seconds)
        with contextlib.ExitStack() as undo:
            try:
                connected = undo.enter_context(reach(name, port, deadline))
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                tls = Tls(connected, trust, name, deadline)
                connected.settimeout(seconds)
            except ssl.SSLCertVerificationError as error:
                raise Untrusted(f"{host}: {_told(error)}") from None
            except OSError as error:
                raise Unreachable(f"{host}: {_told(error)}") from None
            line = cls(host, connected, tls, seconds)
            undo.pop_all()
            return line

    @property
    def answers(self) -> int:
        """Return how many answers came over it."""
        return self._streams.answers

    @property
    def usable(self) -> bool:
        """Tell whether a request may go over it."""
        return not (self._ended or self._retired)

    def ask(self, path: str, headers: Sequence[tuple[str, str]], body: bytes) -> Answer:
        """Post a request and wait for its answer.

        Raises:
            Unreachable: too many others wait for their answers.
            NotTaken: the other side has not looked at it.
            AnswerLost: nobody knows whether it was taken.
        """
        fixed = ((":method", "POST"), (":scheme", "https"), (":authority", self._host))
        with self._state:
            self._state.wait_for(lambda: not self.usable or self._streams.room, self._seconds)
            if not self.usable:
                raise NotTaken(self._streams.ending)
            if not self._streams.room:
                raise Unreachable("no stream was free")
            before = self._streams.answers
            stream = self._streams.begin([*fixed, (":path", path), *headers])
            whole, heard = self._streams.send(stream, body), self._heard
            # There are a thousand million; the last is answered, and then the next line begins.
            self._retired = self._retired or stream.id >= LAST_STREAM
        self._flush()
        if not whole:
            self._send_rest(stream, body, heard)
        if not stream.done.wait(self._seconds):
            self._give_up(stream, before)
        return stream.answer()

    def retire(self) -> None:
        """Begin no more over it; it is closed when the last answer has come."""
        with self._state:
            self._retired = True
            self._state.notify_all()
            idle = self._streams.idle
        if idle:
            self.close()

    def close(self) -> None:
        """End it now, whatever it waits for."""
        with self._state:
            if not self._ended:
                self._streams.leave()
        self._flush()
        self._end("the connection was closed")

    def _send_rest(self, stream: Stream, body: bytes, heard: int) -> None:
        """Send the rest of a body, as the other side makes room for it after what was ``heard``."""
        whole, deadline = False, Deadline(self._seconds)
        # Whoever talks, but makes no room, is waited for no longer than who is silent.
        with contextlib.suppress(TimeoutError):
            while not whole and not stream.done.is_set():
                with self._state:
                    self._state.wait_for(partial(self._news, heard), deadline.left())
                    heard = self._heard
                    whole = stream.done.is_set() or self._streams.send(stream, body)
                self._flush()

    def _give_up(self, stream: Stream, before: int) -> None:
        """Wait no longer: for one answer if others came meanwhile, else for any."""
        if before == self._streams.answers:
            self._end("no answer in time")
            return
        with self._state:
            if not self._ended:
                self._streams.cancel(stream)
            over = self._over()
        self._flush()
        if over:
            self._end("the connection was ending")

    def _news(self, heard: int) -> bool:
        return self._heard != heard or self._ended

    def _flush(self) -> None:
        """Send what there is to send, in the order it was written."""
        with self._sending:
            try:
                with self._state:
                    if self._ended or self._mute:
                        return
                    data = self._tls.encrypt(self._streams.taken())
                self._socket.sendall(data)
            except TimeoutError:
                self._end("nothing more can be sent")
            except OSError:
                # The other side hung up. What it said before is still to be read: whoever reads
                # comes to the end of it by itself.
                with self._state:
                    self._mute = self._retired = True
                    self._state.notify_all()

    def _listen(self) -> None:
        """Read until nothing more can come; only here is the socket given back."""
        quiet = 0
        try:
            # The handshake may have brought more than its own end.
            more = self._take(b"")
            while more:
                try:
                    data = self._socket.recv(CHUNK)
                except TimeoutError:
                    quiet += 1
                    more = self._look_after(quiet)
                else:
                    quiet = 0
                    more = bool(data) and self._take(data)
        except (OSError, ProtocolError) as error:
            self._flush()
            self._end(_told(error))
        finally:
            self._end("the other side hung up")
            self._socket.close()

    def _take(self, data: bytes) -> bool:
        """Take what came; tell whether more may."""
        with self._state:
            if self._ended:
                return False
            said, more = self._tls.decrypt(data)
            self._heard += bool(said)
            try:
                self._streams.receive(said)
            except ProtocolError as error:
                # Before anybody else gets in: over this one goes nothing more but why it ends.
                self._retired = True
                self._streams.fail(_told(error))
                raise
            self._retired = self._retired or self._streams.goaway is not None
            over = self._over()
        self._flush()
        return more and not over

    def _over(self) -> bool:
        self._state.notify_all()
        return self._retired and self._streams.idle

    def _look_after(self, quiet: int) -> bool:
        """Ask for a sign of life; tell whether one may still come."""
        with self._state:
            if quiet == QUIET_ROUNDS and not self._ended:
                self._streams.ping()
        self._flush()
        return quiet <= QUIET_ROUNDS and not self._ended

    def _end(self, why: str) -> None:
        with self._state:
            if self._ended:
                return
            self._ended = True
            self._streams.fail(why)
            self._state.notify_all()
        # It wakes whoever reads; the other side may have been faster.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)


def _told(error: Exception) -> str:
    """Return what went wrong, on one line; nothing in it is of a push."""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said}"[:200]
