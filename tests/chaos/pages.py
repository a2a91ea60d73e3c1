"""Pages that are cut off, vanish and freeze: each keeps ids and its place, and comes back."""

import asyncio
import fcntl
import json
import random
import socket
import struct
import termios
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from tests.chaos.asked import AWAY, PATIENCE, ask
from tests.chaos.history import Greeted, Shown, Told, now

AT_ONCE = struct.pack("ii", 1, 0)
GONE = (*AWAY, WebSocketException, TimeoutError)


class Page:
    """One page: ``shown`` are the ids it keeps, ``place`` is where it goes on."""

    def __init__(self, crowd, user, number):
        self.name, self.user = f"{user}-{number}", user
        self._crowd = crowd
        self._random = random.Random(f"{crowd.seed} {self.name}")
        self.shown = set()
        self.place = None
        self.greeted = asyncio.Event()
        self._newest = None
        self._ticket = None
        self._connections = 0
        self._socket = None
        self._visit = None
        self._acks = []

    async def live(self):
        """Come back as often as it takes, until this is cancelled."""
        while True:
            self._visit = asyncio.create_task(self._once())
            with suppress(*GONE):
                try:
                    await asyncio.shield(self._visit)
                except asyncio.CancelledError:
                    if not self._visit.cancelled():
                        self._visit.cancel()
                        raise
            self.greeted.clear()
            await asyncio.sleep(self._random.uniform(0.01, 0.15))

    # What may befall it, on the crowd's loop

    async def reset(self, _seconds):
        """End the connection with RST; return what proves it."""
        link = await self._live_socket()
        raw = link.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        self._visit.cancel()
        link.transport.abort()
        return f"connection {self._connections} of {self.name} was reset"

    async def close(self, _seconds):
        """Say goodbye, as a tab does that is closed."""
        link = await self._live_socket()
        await link.close()
        return f"connection {self._connections} of {self.name} was closed"

    async def vanish(self, seconds):
        """Leave the connection as it is, without FIN, and come back on another at once."""
        link = await self._live_socket()
        link.transport.pause_reading()
        self._socket = None  # not closed with the visit
        self._visit.cancel()
        return await self._unread(link, seconds)

    async def freeze(self, seconds):
        """Read nothing for a while; then the connection breaks."""
        link = await self._live_socket()
        link.transport.pause_reading()
        try:
            return await self._unread(link, seconds)
        finally:
            self._visit.cancel()

    async def _live_socket(self):
        await asyncio.wait_for(self.greeted.wait(), 20)
        self.greeted.clear()
        return self._socket

    async def _unread(self, link, seconds):
        """Wait, and until something lies there that nobody reads; then be gone for good."""
        raw = link.transport.get_extra_info("socket").dup()
        raw.setblocking(False)
        lying = 0
        until = asyncio.get_running_loop().time() + seconds + PATIENCE
        await asyncio.sleep(seconds)
        while not lying and asyncio.get_running_loop().time() < until:
            answer = fcntl.ioctl(raw, termios.FIONREAD, b"\0" * 4)
            lying = int.from_bytes(answer, "little")
            await asyncio.sleep(0.02)
        raw.close()
        link.transport.abort()
        return f"{lying} bytes for {self.name} were never read" if lying else ""

    # One visit

    async def _once(self):
        if self._ticket is None:
            self._ticket = (await self._ask("POST", "/tickets", {"users": [self.user]}))[0]
        since, query = self._since()
        where = f"ws://{self._crowd.host}/api/v1/realtime?token={self._ticket}{query}"
        quiet = {"ping_interval": None, "close_timeout": 1, "compression": None, "proxy": None}
        self._socket = await connect(where, open_timeout=PATIENCE, **quiet)
        try:
            await self._greet(since)
            async for frame in self._socket:
                await self._read(json.loads(frame))
            if self._socket.close_code == 4001:
                self._ticket = None
        finally:
            if self._socket is not None:
                self._socket.transport.abort()

    def _since(self):
        if self.place is None:
            return None, ""
        if self._newest and self._random.random() < 0.3:
            seq, id = self._newest
            return seq, f"&last_toast_id={id}"
        return self.place[0], "&since={}.{}".format(*self.place)

    async def _greet(self, since):
        frame = json.loads(await asyncio.wait_for(self._socket.recv(), PATIENCE))
        if frame["type"] != "connection_ack":
            self._ticket = None
            raise ConnectionError(frame)
        self._connections += 1
        told = {"page": self.name, "connection": self._connections, "user": self.user}
        recovered = frame.get("recovered")
        self._note(Greeted(**told, seq=frame["seq"], at=now(), since=since, recovered=recovered))
        if self.place is None:
            self.place = frame["seq"], frame["epoch"]
        if recovered is False:
            await self._fetch()
            self.place = frame["seq"], frame["epoch"]
            self._newest = None
        self.greeted.set()

    async def _fetch(self):
        """Read the list: what a page does that was not told what it missed."""
        answer = await self._ask("GET", "/v1/toasts?limit=200", None, {"X-User": self.user})
        for item in answer["items"]:
            self._show(item, "list")

    async def _read(self, frame):
        if frame["type"] != "toast":
            return
        toast, seq = frame["toast"], frame["seq"]
        named = {"id": toast["id"], "title": toast["title"], "user": self.user, "page": self.name}
        replayed = frame.get("replayed", False)
        place = {"connection": self._connections, "seq": seq, "replayed": replayed}
        created = datetime.fromisoformat(toast["created_at"]).timestamp() * 1000
        self._note(Told(**named, **place, at=now(), created=int(created)))
        self._show(toast, "frame")
        if self._newest is None or seq >= self._newest[0]:
            self._newest = seq, toast["id"]
        self.place = max(self.place[0], seq), frame["epoch"]
        await self._ack(toast["id"])

    def _show(self, toast, by):
        if toast["id"] not in self.shown:
            self.shown.add(toast["id"])
            named = {"page": self.name, "user": self.user, "by": by, "at": now()}
            self._note(Shown(**named, id=toast["id"], title=toast["title"]))

    async def _ack(self, id):
        """Ack some at once, others with the next, and those before a break never."""
        self._acks.append(id)
        if self._random.random() < 0.5:
            ids, self._acks = self._acks, []
            await self._socket.send(json.dumps({"type": "ack", "ids": ids[-100:]}))

    def _note(self, event):
        self._crowd.history.add(event)

    async def _ask(self, method, path, body=None, headers=None):
        loop = asyncio.get_running_loop()
        given = (self._crowd.address, method, path, body, headers)
        status, answer = await loop.run_in_executor(self._crowd.threads, ask, *given)
        if status != 200:
            raise ConnectionError(f"{method} {path}: {status}")
        return answer


class Crowd:
    """All pages, on one loop in a thread of its own; ``users`` says how many pages each has."""

    def __init__(self, address, users, history, seed):
        self.address, self.history, self.seed = address, history, seed
        self.host = "{}:{}".format(*address)
        self.threads = ThreadPoolExecutor(64, thread_name_prefix="page")
        self._users = users
        self.pages = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="pages", daemon=True)

    def __enter__(self):
        self._thread.start()
        self.call(self._begin())
        return self

    def __exit__(self, *_):
        self.call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self.threads.shutdown(cancel_futures=True)

    def call(self, job, seconds=60):
        """Run a coroutine on the pages' loop; return its result, in any other thread."""
        return asyncio.run_coroutine_threadsafe(job, self._loop).result(seconds)

    def wait_until_greeted(self, seconds=30):
        """Wait until every page is connected."""
        self.call(self._all_greeted(seconds), seconds + 10)

    async def _all_greeted(self, seconds):
        waits = (page.greeted.wait() for page in self.pages)
        await asyncio.wait_for(asyncio.gather(*waits), seconds)

    async def _begin(self):
        for user, many in self._users.items():
            self.pages += [Page(self, user, number + 1) for number in range(many)]
        self._lives = [asyncio.create_task(page.live()) for page in self.pages]

    async def _end(self):
        for life in self._lives:
            life.cancel()
        await asyncio.gather(*self._lives, return_exceptions=True)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()
