"""Sessions, where every request asks for them: inside the serving worker."""

import json
from typing import Any

from .client import Publisher
from .scene import Figures, Scene

AT_ONCE = 16


def session(scene: Scene) -> Figures:
    """Sessions minted by 16 greenlets, then found one by one: read first, then remembered."""
    told = _ask(scene, {"callers": AT_ONCE, "sessions": scene.sizes.publishes})
    figures: Figures = {"sessions minted/s": scene.sizes.publishes / told["seconds"]}
    for name, seconds in (("read", told["read"]), ("remembered", told["remembered"])):
        ordered = sorted(seconds)
        figures[f"session found, {name}: p50 us"] = ordered[len(ordered) // 2] * 1e6
        figures[f"session found, {name}: p99 us"] = ordered[len(ordered) * 99 // 100] * 1e6
    return figures


def _ask(scene: Scene, wanted: dict[str, int]) -> dict[str, Any]:
    publisher, answers = Publisher(scene.crowd.loop, scene.server.address), list[bytes]()
    publisher.post("/sessions", json.dumps(wanted).encode(), answers.append)
    scene.crowd.loop.run(lambda: bool(answers))
    publisher.close()
    return json.loads(answers[0].partition(b"\r\n\r\n")[2])
