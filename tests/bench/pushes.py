"""Pushes to phones: how many leave in a second, and what publishing costs while they do not."""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.apple.remote import RemoteApple

from .contenders import TOASTKIT
from .scene import Figures, Scene
from .server import CLIENT_CORES, ROOT, SERVER_CORES

WARMUP = 64
SECONDS = 120
AIOAPNS = "tests.bench.apps.aioapns_push"


@contextmanager
def apple() -> Iterator[RemoteApple]:
    """Run Apple on the client's core."""
    os.sched_setaffinity(0, CLIENT_CORES)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        RemoteApple(Path(folder)) as there,
    ):
        yield there


def push(scene: Scene) -> Figures:
    """One push to each of many phones; then toasts to users who are not there, one by one."""
    many = scene.sizes.pushes
    _phones(scene, many)
    _pushed(scene, WARMUP)
    cpu = scene.server.cpu()
    seconds = _pushed(scene, many)
    figures: Figures = {
        "push: pushes/s": many / seconds,
        "push: CPU us each": (scene.server.cpu() - cpu) / many * 1e6,
        "push: connections": float(_apple(scene).ask("connections")),
    }
    if find_spec("aioapns"):
        beside = _aioapns(scene, many) if scene.contender is not TOASTKIT else seconds
        figures["push: pushes/s, beside aioapns"] = many / beside
    if scene.contender is TOASTKIT:
        figures |= _absent(scene)
    if faults := _apple(scene).ask("faults"):
        raise RuntimeError(f"Apple found {set(faults)}")
    return figures


def _absent(scene: Scene) -> Figures:
    """Publish to users whose phone is asked for: not at all, by Apple, and by nobody."""
    there = _apple(scene)
    figures = _waits(scene, "no fallback", fallback=False) | _waits(scene, "Apple answers")
    there.ask("leave")
    figures |= _waits(scene, "Apple refuses")
    there.ask("come_back")
    _ask(scene, "/push/wait", {})
    there.ask("freeze")
    figures |= _waits(scene, "Apple is silent")
    there.ask("thaw")
    return figures


def _waits(scene: Scene, name: str, *, fallback: bool = True) -> Figures:
    users = min(scene.sizes.pushes, 200)
    seconds = sorted(_ask(scene, "/push/absent", {"users": users, "fallback": fallback})["seconds"])
    return {
        f"absent, {name}: p50 ms": seconds[len(seconds) // 2] * 1e3,
        f"absent, {name}: max ms": seconds[-1] * 1e3,
    }


def _pushed(scene: Scene, many: int) -> float:
    """Return how long it takes until Apple has taken one push to each of so many phones."""
    there = _apple(scene)
    before = there.ask("count")
    seconds = float(_ask(scene, "/push", {"users": many})["seconds"])
    there.ask("wait", before + many, SECONDS)
    if there.ask("count") != before + many:
        raise RuntimeError("a push came twice")
    return seconds


def _phones(scene: Scene, many: int) -> None:
    if scene.contender is TOASTKIT:
        _ask(scene, "/push/phones", {"users": many})


def _aioapns(scene: Scene, many: int) -> float:
    command = [sys.executable, "-m", AIOAPNS, json.dumps(_apple(scene).config()), str(many)]
    os.sched_setaffinity(0, SERVER_CORES)
    try:
        done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    finally:
        os.sched_setaffinity(0, CLIENT_CORES)
    return float(done.stdout)


def _apple(scene: Scene) -> RemoteApple:
    assert scene.apple is not None
    return scene.apple


def _ask(scene: Scene, path: str, wanted: dict[str, object]) -> Any:
    url = "http://{}:{}{}".format(*scene.server.address, path)
    body, headers = json.dumps(wanted).encode(), {"Content-Type": "application/json"}
    request = urllib.request.Request(url, body, headers)
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        return json.load(answer)
