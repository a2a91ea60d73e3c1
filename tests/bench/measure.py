"""What is measured. Each measurement takes a fresh server and returns figures by name."""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing

from .bodies import broadcast_body
from .client import Crowd, Loop, Lost, Publisher, now
from .contenders import Contender, Seed
from .publishing import inside, publish
from .pushes import apple, push
from .scene import Figures, Scene, Sizes
from .server import settle
from .sessions import session

BROADCASTS = 50


def connect(scene: Scene) -> Figures:
    """Handshakes with 100 in flight, and what each connection keeps when it is idle."""
    sizes, server, doors = scene.sizes, scene.server, scene.seed.doors(scene.contender)
    # The first ones pay for imports, for pages that a fork shares, and for growing tables.
    scene.crowd.connect(doors, sizes.warmup)
    settle(server, sizes.warmup)
    time.sleep(1)
    memory, cpu = server.memory(), server.cpu()
    seconds = scene.crowd.connect(doors, sizes.connections)
    everybody = sizes.warmup + sizes.connections
    settle(server, everybody)
    opening = (server.cpu() - cpu) / sizes.connections
    time.sleep(1)
    memory = server.memory() - memory
    # What a handshake leaves to be done when its client goes is part of its price.
    cpu = server.cpu()
    scene.crowd.close()
    settle(server, 0)
    closing = (server.cpu() - cpu) / everybody
    return {
        "handshakes/s": sizes.connections / seconds,
        "CPU us per handshake": opening * 1e6,
        "CPU us per handshake and its end": (opening + closing) * 1e6,
        "KiB per idle connection": memory / sizes.connections,
    }


def fanout(scene: Scene) -> Figures:
    """Fifty POSTs back to back, each told to all."""
    crowd, sizes = scene.crowd, scene.sizes
    crowd.connect(scene.seed.doors(scene.contender), sizes.subscribers)
    settle(scene.server, sizes.subscribers)
    publisher = Publisher(crowd.loop, scene.server.address)
    _burst(crowd, publisher, 5)
    cpu = scene.server.cpu()
    bursts = [_burst(crowd, publisher, BROADCASTS) for _ in range(sizes.bursts)]
    cpu = scene.server.cpu() - cpu
    publisher.close()
    seconds, busy = sum(burst[0] for burst in bursts), sum(burst[1] for burst in bursts)
    deliveries = sizes.bursts * BROADCASTS * sizes.subscribers
    return {
        "deliveries/s": deliveries / seconds,
        "CPU s per million deliveries": cpu / deliveries * 1e6,
        "client's share of its core": busy / seconds,
    }


def _burst(crowd: Crowd, publisher: Publisher, number: int) -> tuple[float, float]:
    """Broadcast so many, and check that everybody heard all, in order.

    Returns the seconds until they had, and this client's CPU seconds until then.
    """
    crowd.forget()
    answered = 0

    def next_one(_: bytes = b"") -> None:
        nonlocal answered
        if answered < number:
            answered += 1
            publisher.post("/broadcast", broadcast_body(answered), next_one)
        else:
            answered += 1

    started, used = now(), time.process_time()
    next_one()
    goal = number * len(crowd.members)
    crowd.loop.run(lambda: crowd.count >= goal and answered > number)
    seconds, used = now() - started, time.process_time() - used
    for user, heard in crowd.numbers().items():
        if [found for found, _ in heard] != list(range(1, number + 1)):
            raise Lost(f"{user} did not hear all, once and in order")
    return seconds, used


MEASUREMENTS: dict[str, Callable[[Scene], Figures]] = {
    "connect": connect,
    "fanout": fanout,
    "publish": publish,
    "inside": inside,
    "push": push,
    "session": session,
}


def run(name: str, contender: Contender, seed: Seed, sizes: Sizes) -> Figures:
    """Run one measurement on a fresh server."""
    with ExitStack() as stack:
        there = stack.enter_context(apple()) if name == "push" else None
        settings = there.environ() if there else {}
        server = stack.enter_context(seed.server(contender, settings))
        crowd = stack.enter_context(
            closing(Crowd(Loop(), [server.address], contender.speech)),
        )
        return MEASUREMENTS[name](Scene(contender, server, crowd, sizes, seed, there))
