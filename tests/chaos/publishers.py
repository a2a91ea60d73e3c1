"""Publishers that do not give up: over HTTP, and from a process that serves nobody."""

import json
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.asked import AWAY, ask
from tests.chaos.history import Answered, Wished, now
from tests.races.crowd import AUTHORIZED
from toastkit.storage.desk import UNKNOWN

ROOT = Path(__file__).parents[2]
LONG = "x" * 1500


@dataclass
class Wishes:
    """What is published, by chance: to whom, and with which keys, times and sizes."""

    users: list
    seed: str
    made: int = 0
    _random: random.Random = field(init=False)

    def __post_init__(self):
        self._random = random.Random(self.seed)

    def next(self):
        """Return the user, the title, and what else is given to a publish of it."""
        self.made += 1
        chance = self._random.random
        user = self._random.choice(self.users)
        title = f"{user} {self.seed} {self.made}"
        given = {}
        if chance() < 0.6:
            given["dedupe_key"] = title
        if chance() < 0.1:
            given["collapse_key"] = f"k{self._random.randrange(5)}"
        elif chance() < 0.15:
            given["ttl_ms"] = self._random.randrange(300, 3000)
        toast = {"title": title}
        if chance() < 0.2:
            toast["body"] = LONG
        return user, title, toast, given

    def again(self):
        """Tell whether to repeat what was accepted, as a caller does that never heard of it."""
        return self._random.random() < 0.1


class InTurn:
    """One toast for each user, in turn: nothing that follows soon shows that it was missed."""

    def __init__(self, users, seed):
        self.users, self.seed, self.made = users, seed, 0

    def next(self):
        self.made += 1
        user = self.users[self.made % len(self.users)]
        title = f"{user} {self.seed} {self.made}"
        return user, title, {"title": title}, {"dedupe_key": title}

    def again(self):
        return False


class Publisher(threading.Thread):
    """Publish one toast after the other until it is told to leave; ``road`` sends each of them."""

    def __init__(self, road, history, wishes, pause):
        super().__init__(name=f"publisher {wishes.seed}", daemon=True)
        self._road, self._history, self._wishes = road, history, wishes
        self._pause = pause
        self._leaving = threading.Event()
        self._error = None

    def leave(self):
        """Let it finish what it has begun, and wait for that.

        Raises:
            Exception: it had given up long before, which is no fault of the service's.
        """
        self._leaving.set()
        self.join()
        if self._error is not None:
            raise self._error

    def run(self):
        try:
            while not self._leaving.is_set():
                self.publish_next()
                self._leaving.wait(self._pause)
        except Exception as error:  # noqa: BLE001 - told to whoever waits for it
            self._error = error

    def publish_next(self):
        """Publish one toast; with a dedupe key again and again, until it is accepted."""
        user, title, toast, given = self._wishes.next()
        named = {"title": title, "user": user, "at": now()}
        keys = {"ttl": given.get("ttl_ms"), "collapse": given.get("collapse_key")}
        self._history.add(Wished(**named, **keys))
        until = time.monotonic() + 30
        accepted = self._attempt(user, title, toast, given)
        if "dedupe_key" not in given:
            return
        while not accepted and time.monotonic() < until:
            self._leaving.wait(0.05)
            accepted = self._attempt(user, title, toast, given)
        if accepted and self._wishes.again():
            self._attempt(user, title, toast, given)

    def _attempt(self, user, title, toast, given):
        outcome, id, status = self._road(user_id=user, toast=toast, **given)
        told = {"outcome": outcome, "id": id, "status": status}
        self._history.add(Answered(title=title, at=now(), **told))
        return outcome == "ok"


def over_http(address):
    """Return the road of a backend: any worker answers."""

    def road(user_id, **given):
        body = {"user_id": user_id, "topic": f"user:{user_id}", **given}
        try:
            status, answer = ask(address, "POST", "/v1/toasts/publish", body, AUTHORIZED)
        except ConnectionRefusedError:
            return "fail", None, "refused"
        except AWAY as error:
            return "unknown", None, type(error).__name__
        if status == 202:
            return "ok", answer["id"], answer["status"]
        refused = status == 503 and UNKNOWN not in str(answer)
        return ("fail" if refused else "unknown"), None, str(status)

    return road


class Elsewhere:
    """The road of a process without sockets, which may be killed: the next one takes its place."""

    def __init__(self, environ, log):
        self._environ, self._log = environ, log
        self._lock = threading.Lock()
        self._closed = False
        self._start()

    @property
    def pid(self):
        return self._process.pid

    def __call__(self, **given):
        with self._lock:
            answer = self._publish(given)
            if answer is None and not self._closed:
                self._end()
                self._start()
        if answer is None:
            return "unknown", None, "killed"
        if answer["status"] == "error":
            return ("unknown" if UNKNOWN in answer["id"] else "fail"), None, "error"
        return "ok", answer["id"], answer["status"]

    def close(self):
        """End the process."""
        with self._lock:
            self._closed = True
            self._end()

    def _publish(self, given):
        with suppress(OSError):
            self._process.stdin.write(json.dumps(given) + "\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        return json.loads(line) if line.endswith("\n") else None

    def _start(self):
        command = [sys.executable, "-m", "tests.chaos.outsider"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        ready = ""
        while not ready:  # it may be killed before it is
            with self._log.open("ab") as log:
                pipes["stderr"] = log
                self._process = subprocess.Popen(command, cwd=ROOT, env=self._environ, **pipes)
            ready = self._process.stdout.readline()
            if not ready:
                self._end()
                assert self._process.returncode == -signal.SIGKILL, self._log.read_text()

    def _end(self):
        with suppress(OSError):
            self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()
