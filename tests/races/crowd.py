"""Clients of a server that dies: pages that come back, publishers that do not give up."""

import json
import threading
import time
from contextlib import suppress
from http.client import HTTPException

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

SECRET = "s3cret"
AUTHORIZED = {"Authorization": f"Bearer {SECRET}"}


class Page(threading.Thread):
    """One page of a user: it keeps ids and its position, and comes back whenever it is cut off."""

    def __init__(self, server, user):
        super().__init__(daemon=True)
        self.server, self.user = server, user
        self.shown, self.faults, self.greetings = {}, [], []
        self.position = None
        self.leaving = threading.Event()
        self.greeted = threading.Event()

    def run(self):
        while not self.leaving.is_set():
            with suppress(OSError, HTTPException, WebSocketException, AssertionError):
                self._visit()
            self.greeted.clear()
            time.sleep(0.02)

    def leave(self):
        self.leaving.set()
        self.join(10)

    def _visit(self):
        where = self.server.gateway(self.server.tickets(self.user)[0])
        if self.position is not None:
            where += "&since={}.{}".format(*self.position)
        with connect(where, close_timeout=1, proxy=None) as socket:
            self._greet(json.loads(socket.recv(timeout=10)))
            start = last = self.position[0]
            while not self.leaving.is_set():
                with suppress(TimeoutError):
                    frame = json.loads(socket.recv(timeout=0.2))
                    if frame["type"] == "toast":
                        last = self._take(frame, start, last)

    def _greet(self, greeting):
        self.greetings.append(greeting)
        if self.position is None:
            self.position = greeting["seq"], greeting["epoch"]
        elif not greeting["recovered"]:
            self.faults.append(greeting)
        self.greeted.set()

    def _take(self, frame, start, last):
        toast, seq = frame["toast"], frame["seq"]
        if toast["topic"] != f"user:{self.user}":
            self.faults.append(frame)
        if start < seq <= last:
            self.faults.append((last, frame))
        self.shown.setdefault(toast["id"], toast["title"])
        self.position = max(self.position[0], seq), frame["epoch"]
        return max(last, seq)


class Publisher(threading.Thread):
    """Publish one toast after the other; with a key again and again, until it is accepted."""

    def __init__(self, server, user, name, keyed):
        super().__init__(daemon=True)
        self.server, self.user, self.keyed = server, user, keyed
        self.name = name
        self.accepted, self.refused, self.unknown, self.faults = {}, set(), set(), []
        self.leaving = threading.Event()

    def run(self):
        number = 0
        while not self.leaving.is_set():
            number += 1
            title = f"{self.name}-{number}"
            while not self._publish(title) and self.keyed:
                time.sleep(0.02)
            time.sleep(0.03)

    def leave(self):
        self.leaving.set()
        self.join(30)

    def _publish(self, title):
        body = {"user_id": self.user, "topic": f"user:{self.user}", "toast": {"title": title}}
        if self.keyed:
            body["dedupe_key"] = title
        try:
            status, answer = self.server.request("POST", "/v1/toasts/publish", body, **AUTHORIZED)
        except (OSError, HTTPException):
            self.unknown.add(title)
            return False
        if status == 202:
            self.accepted[title] = answer["id"]
            return True
        if status != 503:
            self.faults.append((status, answer))
        self.refused.add(title)
        return False
