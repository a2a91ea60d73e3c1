"""Break everything around a service of several workers, and look for what it cost: ``python -m``.

    python -m tests.chaos --faults 60 --seed 7 --workers 3 --database sqlite --database postgresql

With several databases each gets its share of the faults. A seed decides which faults are done in
which order, and what is published; what happens in between is the machine's.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from tests.chaos.run import Size, figures, perform

PROMISED = ("lost", "shown twice", "crossed", "out of order")
SHOWN = 10


def main():
    """Run what the command line asks for; exit 1 when a promise was broken."""
    wanted = arguments()
    databases = wanted.database or ["sqlite", "postgresql"]
    seed = wanted.seed if wanted.seed is not None else random.randrange(1 << 32)
    size = Size(workers=wanted.workers, redis=not wanted.without_redis)
    if wanted.quick:
        size = replace(size, patience=0.4)
    sizes = [
        replace(size, database=database, faults=share)
        for database, share in zip(databases, shares(wanted.faults, len(databases)), strict=True)
    ]
    began, clean, totals, faults, kinds = time.monotonic(), True, Counter(), 0, set()
    # Beside each other: most of a run is waiting.
    with ProcessPoolExecutor(len(sizes), get_context("fork")) as pool:
        runs = pool.map(partial(run, seed=seed, folder=wanted.history), sizes)
        for this, (verdict, times) in zip(sizes, runs, strict=True):
            clean = clean and verdict.clean
            totals.update(verdict.figures())
            totals["accepted"] += verdict.counts["accepted"]
            faults += sum(verdict.faults.values())
            kinds |= set(verdict.faults)
            print(figures(verdict, this, seed, times), flush=True)
            explain(verdict)
    took = time.monotonic() - began
    print(
        f"seed {seed}: {totals['accepted']} toasts, {faults} faults of {len(kinds)} kinds, {took:.0f} s"
    )
    print(", ".join(f"{promise} {totals[promise]}" for promise in PROMISED))
    sys.exit(not clean)


def arguments():
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--faults", type=int, default=60, help="how many things are broken (60)")
    add("--seed", type=int, help="what to break and publish; made up and printed if not given")
    add("--workers", type=int, default=3, help="gunicorn workers of the service (3)")
    add("--database", action="append", choices=["sqlite", "postgresql"], help="on which; both")
    add(
        "--without-redis", action="store_true", help="workers that hear each other by storage alone"
    )
    add("--quick", action="store_true", help="let every fault last less than half as long")
    add("--history", type=Path, help="keep what happened in this folder, a line of JSON each")
    return parser.parse_args()


def shares(faults, many):
    """Deal the faults out, as evenly as can be."""
    return [faults // many + (number < faults % many) for number in range(many)]


def run(size, seed, folder):
    """Do one run; keep its history if that is wanted, or a promise was broken."""
    verdict, history, times = perform(size, seed, folder)
    if folder or not verdict.clean:
        keep(history, folder, size.database, seed)
    return verdict, times


def keep(history, folder, database, seed):
    folder = folder or Path(tempfile.gettempdir(), "toastkit-chaos-histories")
    folder.mkdir(exist_ok=True)
    file = folder / f"{database}-{seed}.jsonl"
    history.save(file)
    print(f"what happened is in {file}", flush=True)


def explain(verdict):
    """Print what broke promises, and which faults did not happen."""
    for promise, found in verdict.broken.items():
        for each in found[:SHOWN]:
            print(f"{promise}: {each}")
        if len(found) > SHOWN:
            print(f"{promise}: and {len(found) - SHOWN} more")
    for each in verdict.without_effect:
        print(f"without effect: {each}")


if __name__ == "__main__":
    main()
