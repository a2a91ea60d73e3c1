"""A real browser without a screen, driven by its own protocol."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync"


class Page:
    """One page; ``complaints`` are errors of its scripts and of its console."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.complaints: list[str] = []
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **params: Any) -> Any:
        """Give one command of the protocol, and return its result."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while (heard := json.loads(self._socket.recv(timeout=20))).get("id") != number:
            if heard.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.complaints.append(json.dumps(heard["params"]))
        assert "error" not in heard, heard
        return heard["result"]

    def run(self, script: str) -> Any:
        """Return what an expression is on the page, a promise's value too."""
        given = {"expression": script, "awaitPromise": True, "returnByValue": True}
        told = self.ask("Runtime.evaluate", **given)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def until(self, script: str, seconds: float = 20) -> None:
        """Wait until an expression is true on the page."""
        began = time.monotonic()
        while not self.run(f"!!({script})"):
            assert time.monotonic() - began < seconds, f"never: {script}"
            time.sleep(0.05)

    def press(self, selector: str) -> None:
        self.run(f"document.querySelector({selector!r}).click()")

    def fill(self, selector: str, text: str) -> None:
        self.run(
            f"(field => {{ field.value = {text!r};"
            " field.dispatchEvent(new Event('input', { bubbles: true })); })"
            f"(document.querySelector({selector!r}))"
        )


@contextmanager
def browse(url: str, folder: Path) -> Iterator[Page]:
    """Open a page in a browser of its own, which ends with the block."""
    command = [str(CHROMIUM), "--headless", "--remote-debugging-port=0", *QUIET.split()]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(
        [*command, f"--user-data-dir={folder}", "about:blank"], **quiet
    ) as browser:
        try:
            with connect(_page_of(folder), max_size=None, proxy=None) as socket:
                page = Page(socket)
                page.ask("Page.navigate", url=url)
                page.until("document.readyState === 'complete' && location.protocol !== 'about:'")
                yield page
                page.ask("Browser.close")
        finally:
            if browser.poll() is None:
                browser.terminate()


def _page_of(folder: Path) -> str:
    """Wait for the browser's door, and return where its first page can be spoken to."""
    door, until = folder / "DevToolsActivePort", time.monotonic() + 20
    while not (door.exists() and door.read_text().count("\n")):
        assert time.monotonic() < until, "the browser did not start"
        time.sleep(0.05)
    port = door.read_text().split("\n")[0]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as answer:
        return next(
            str(each["webSocketDebuggerUrl"])
            for each in json.load(answer)
            if each["type"] == "page"
        )
