"""Clients that come back as the page's client does: with their ticket, from where they left off."""

import random
import time

from tests.clients.flock import Bird, Flock


class Swallow(Bird):
    """One client that comes back; it keeps what it was shown, and notes what must not happen."""

    def __init__(self, flock, user, ticket, **given):
        self.user, self.ticket = user, ticket
        self.shown, self.shown_at, self.faults = {}, {}, []
        self.position = None
        self.codes, self.statuses = [], []
        self.left_at = self.back_at = None
        self.attempts = 0
        self.due = None
        super().__init__(flock, ticket, **given)

    @property
    def here(self):
        """Tell whether it is connected and greeted."""
        return not self.gone and bool(self.said)

    def return_now(self, now):
        """Connect anew."""
        self.due, self.attempts = None, self.attempts + 1
        where = self.ticket
        if self.position is not None:
            where += "&since={}.{}".format(*self.position)
        try:
            super().__init__(self.flock, where)
        except OSError:
            self.sock.close()
            self.gone = True
            self.codes.append(None)
            self._wait(now)

    def close(self):
        was_here, known = not self.gone, self.said
        super().close()
        if not was_here or self.flock.leaving:
            return
        now = time.monotonic()
        if known:
            self.left_at, self.attempts = now, 0
        self.codes.append(self.closed and self.closed.code)
        self._wait(now)

    def _wait(self, now):
        # As toastkit.js waits: half a second at least, up to five after 1012 and 1013.
        told = self.codes[-1] in (1012, 1013)
        most = max(self.flock.spread * told, min(30.0, 2.0**self.attempts))
        self.due = now + 0.5 + random.random() * (most - 0.5)

    def on_readable(self):
        try:
            super().on_readable()
        except ConnectionError:  # it went while we answered it
            self.close()

    def _read_answer(self):
        if self._data.startswith(b"HTTP/1.1 101 ") or b"\r\n\r\n" not in self._data:
            super()._read_answer()
            return
        self.statuses.append(int(self._data[9:12]))
        self.close()

    def _read_frames(self):
        many = len(self.said)
        super()._read_frames()
        for _, message in self.said[many:]:
            if message["type"] == "connection_ack":
                self._greeted(message)
            elif message["type"] == "toast":
                self._take(message)

    def _greeted(self, greeting):
        if self.position is not None and not greeting["recovered"]:
            self.faults.append(("not recovered", greeting))
        elif self.position is None:
            self.position = greeting["seq"], greeting["epoch"]
        self._start = self._last = self.position[0]
        self.back_at = time.monotonic()

    def _take(self, frame):
        toast, seq = frame["toast"], frame["seq"]
        if toast["topic"].split(":")[1] != self.user:
            self.faults.append(("another's", frame))
        if self._start < seq <= self._last:
            self.faults.append(("out of order", self._last, frame))
        self._last = max(self._last, seq)
        self.position = max(self.position[0], seq), frame["epoch"]
        self.shown.setdefault(toast["id"], toast["title"])
        self.shown_at.setdefault(toast["id"], time.monotonic())


class Swallows(Flock):
    """Clients that come back, driven together; ``address`` is any worker's."""

    leaving = False
    spread = 5.0
    """Seconds over which those come back who were told 1012."""

    def __exit__(self, *_):
        self.leaving = True
        super().__exit__()

    def come(self, server, users, **given):
        """Connect one client for each user; at ``address``, one worker's, if that is named."""
        tickets = server.tickets(*users)
        birds = [Swallow(self, *each, **given) for each in zip(users, tickets, strict=True)]
        self.birds += birds
        return birds

    def run(self, until, seconds=20):
        end = time.monotonic() + seconds
        while not until():
            now = time.monotonic()
            if now >= end:
                return False
            for bird in self.birds:
                if bird.due is not None and bird.due <= now:
                    bird.return_now(now)
            super().run(until, min(end - now, 0.02))
        return True

    def all_here(self):
        return all(bird.here for bird in self.birds)

    def faults(self):
        """Return what was shown to the wrong one or out of order, or was lost without a word."""
        return [fault for bird in self.birds for fault in bird.faults]

    def statuses(self):
        """Return the statuses of refused handshakes."""
        return [status for bird in self.birds for status in bird.statuses]

    def longest_away(self):
        """Return the longest time between an end and the next greeting, in seconds."""
        return max(bird.back_at - bird.left_at for bird in self.birds if bird.left_at is not None)
