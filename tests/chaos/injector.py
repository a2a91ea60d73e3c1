"""Do harm, fault after fault, in two lanes at once: to the ground, and to who stands on it."""

import random
import sys
import threading
import traceback
from dataclasses import replace

from tests.chaos.faults import GROUND, PEOPLE
from tests.chaos.history import Broke, now

ONLY = {"sqlite": "postgresql", "postgresql": "sqlite"}


def kinds(group, database, redis):
    """Return the names of the faults of a group that can be done here."""
    return [
        name
        for name in group
        if not name.startswith(ONLY[database]) and (redis or not name.startswith("redis"))
    ]


def plan(names, many, chance):
    """Return so many faults: every kind as often as the others, in any order."""
    planned = []
    while names and len(planned) < many:
        planned += chance.sample(names, len(names))
    return planned[:many]


class Injector:
    """Do so many faults to a scene; the same seed does the same in the same order.

    With each fault of the ground ``quiet`` publishes one toast, to somebody who hears nothing else
    for long.
    """

    def __init__(self, scene, history, quiet, *, many, seed):
        chance = random.Random(seed)
        database = "sqlite" if scene.postgres is None else "postgresql"
        lanes = [kinds(group, database, scene.redis) for group in (GROUND, PEOPLE)]
        whole = sum(map(len, lanes))
        share = many * len(lanes[0]) // whole
        self._history, self._quiet = history, quiet
        self._lanes = [
            threading.Thread(
                target=self._run,
                args=(replace(scene, random=random.Random(chance.random())), group, names),
                name="harm",
                daemon=True,
            )
            for group, names in (
                (GROUND, plan(lanes[0], share, chance)),
                (PEOPLE, plan(lanes[1], many - share, chance)),
            )
        ]

    def run(self):
        """Do them all."""
        for lane in self._lanes:
            lane.start()
        for lane in self._lanes:
            lane.join()

    def _run(self, scene, group, names):
        for name in names:
            scene.a_while(0.5)
            began, effect = now(), ""
            toast = threading.Timer(scene.random.uniform(0, 0.06), self._quiet.publish_next)
            if group is GROUND:
                toast.start()
            try:
                effect = group[name](scene)
            except Exception:  # noqa: BLE001 - whatever it was: the fault has not happened
                print(f"fault {name!r} could not be done:", file=sys.stderr)
                traceback.print_exc()
            self._history.add(Broke(kind=name, at=began, until=now(), effect=effect))
            if group is GROUND:
                toast.join()
