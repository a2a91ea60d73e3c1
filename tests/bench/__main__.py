"""Measure toastkit beside a naive flask-sock app, in one run: ``python -m tests.bench``."""

import argparse
import gc
import json
import os
import platform
import resource
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from . import report
from .contenders import CONTENDERS, Seed
from .measure import MEASUREMENTS, Figures, Sizes, run
from .server import CLIENT_CORES

FULL = Sizes(
    connections=5000,
    subscribers=1000,
    bursts=4,
    listeners=2000,
    publishes=4000,
    open_seconds=4,
)
QUICK = replace(FULL, connections=2000, bursts=2, listeners=1000, publishes=2000, open_seconds=2)
TINY = Sizes(50, 20, 1, 20, 200, 0.2, warmup=10)
"""Too little to measure anything, enough to see that all of it works."""


def main() -> None:
    """Run what the command line asks for."""
    wanted = arguments()
    if platform.system() != "Linux":
        raise SystemExit("the benchmark needs Linux: epoll, /proc and CPU affinity")
    sizes = TINY if wanted.tiny else QUICK if wanted.quick else FULL
    prepare(sizes)
    chosen = [name for name in MEASUREMENTS if name in (wanted.only or MEASUREMENTS)]
    rounds: list[dict[str, Figures]] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        users = max(sizes.warmup + sizes.connections, sizes.subscribers, sizes.listeners)
        say(f"minting {users} tickets")
        seed = Seed(Path(folder), users)
        seed.plant()
        for number in range(1, wanted.rounds + 1):
            rounds.append({contender.name: {} for contender in CONTENDERS})
            for name in chosen:
                # Interleaved: a neighbour on this machine hits both or neither.
                for contender in CONTENDERS:
                    figures = run(name, contender, seed, sizes)
                    rounds[-1][contender.name] |= figures
                    said = ", ".join(f"{k} {report.short(v)}" for k, v in figures.items())
                    say(f"round {number}/{wanted.rounds} {contender.name}: {said}")
    lines = report.rows(rounds)
    print(f"{report.machine()}; median (min-max) of {wanted.rounds} rounds\n")
    print(report.table(lines))
    if wanted.json:
        wanted.json.write_text(
            json.dumps({"machine": report.machine(), "rounds": rounds}, indent=1)
        )


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measure toastkit beside a naive flask-sock app, in one run.",
        epilog="Measurements: connect (handshakes, memory), fanout (broadcasts to all), publish "
        "(durable toasts over HTTP). The server runs on one core, the client on another.",
    )
    parser.add_argument("only", nargs="*", metavar="measurement", help="which ones; default all")
    parser.add_argument("--rounds", type=int, default=3, help="default %(default)s")
    parser.add_argument("--quick", action="store_true", help="smaller: about half the time")
    parser.add_argument("--tiny", action="store_true", help="only to see that everything works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round there too")
    wanted = parser.parse_args()
    if unknown := set(wanted.only) - set(MEASUREMENTS):
        parser.error(f"no measurement {', '.join(sorted(unknown))}: {', '.join(MEASUREMENTS)}")
    return wanted


def prepare(sizes: Sizes) -> None:
    """Make room for the sockets, take this client's core, and keep the collector out of it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most != resource.RLIM_INFINITY and most < sizes.connections + 1000:
        raise SystemExit(f"{most} descriptors are too few for {sizes.connections} connections")
    os.sched_setaffinity(0, CLIENT_CORES)
    gc.disable()


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
