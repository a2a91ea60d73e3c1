"""Carry what is owed in a process of its own: ``python -m`` URL LEDGER [POINT].

Each attempt is a line in the ledger when it begins and one when it ends. At POINT the process ends
itself as the kernel would.
"""

import os
import signal
import sys
import time

from toastkit import Config, Kit
from toastkit.deliveries import Sent
from toastkit.publishing.courier import Courier
from toastkit.publishing.posting import Senders
from toastkit.storage.deliveries import Deliveries
from toastkit.storage.group import Committer

PLACES = {
    "claim": (Deliveries, "claim"),
    "begin": (Courier, "_begin"),
    "post": (Senders, "post"),
    "settle": (Deliveries, "settle"),
    "commit": (Committer, "commit"),
}
POINTS = [f"{when} {place}" for place in PLACES for when in ("before", "after")]


class Ledger:
    """Take every delivery, and write down when."""

    kind = "mail"

    def __init__(self, path):
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def post(self, delivery):
        self._note("begin", delivery)
        time.sleep(0.01)
        self._note("end", delivery)
        return Sent("written down")

    def _note(self, what, delivery):
        os.write(self._file, f"{what} {delivery.id} {os.getpid()}\n".encode())


def arm(point):
    """Have this process end at a point."""
    when, _, place = point.partition(" ")
    owner, name = PLACES[place]
    original = getattr(owner, name)

    def watched(*given, **named):
        if when == "before":
            die()
        result = original(*given, **named)
        if place != "claim" or result:  # an idle look passes here, too
            die()
        return result

    setattr(owner, name, watched)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def main(url, path, point=""):
    """Carry until the pipe ends that this process reads."""
    if point:
        arm(point)
    config = Config(database_url=url, sweep_ms=20, lease_ms=400)
    with Kit(config, senders=[Ledger(path)]) as kit:
        kit.node.serve()
        print("ready", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
