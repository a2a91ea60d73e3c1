"""Push, ack and register as each line of stdin says, in a process of its own: ``python -m`` URL.

A day that is told to end at a point ends as the kernel would end it, in a child.
"""

import functools
import json
import os
import random
import signal
import sys
import time
import zlib

from toastkit.clock import SystemClock
from toastkit.deliveries import Carried, Due, Later, Owing, Refusal, Sent
from toastkit.records import Device, StateChange
from toastkit.runtime import runtime_for
from toastkit.storage import Storage, claiming, owing, settling
from toastkit.storage.group import Committer

LEASE_MS = 200
DAY = {
    "owe": (owing, ("_take", "_devices", "conclude")),
    "claim": (claiming, ("_around", "conclude")),
    "settle": (settling, ("mark", "learn", "conclude")),
}
POINTS = [
    f"{when} {step} of {work}"
    for work, (_, steps) in DAY.items()
    for step in (*steps, "commit")
    for when in ("before", "after")
]
"""Every place where a push may be ended, in the order they are passed."""


def push(toast_id, user_id, seq, now):
    """Return what is owed for a toast: a push, for an hour."""
    due = Due(kind="apns", at=now, expires_at=now + 3_600_000)
    given = {"toast_id": toast_id, "user_id": user_id, "seq": seq, "at": now}
    return Owing(**given, payload={}, dues=(due,))


def outcome_of(delivery):
    """Say what becomes of an attempt; of one delivery always the same, but for the first."""
    draw = zlib.crc32(delivery.toast_id.encode()) % 4
    if draw == 0 and delivery.attempts == 0:
        return Later("busy"), "waiting"
    return (Refusal("no"), "failed") if draw == 1 else (Sent("yes"), "sent")


def attempt(storage, delivery, clock):
    """Make one attempt and have it settled."""
    outcome, state = outcome_of(delivery)
    given = {"delivery": delivery, "outcome": outcome, "state": state, "answer": outcome.answer}
    at = clock.now() if state == "waiting" else None
    storage.deliveries.settle(Carried(**given, next_attempt_at=at))
    return state


def carry(storage, ledger):
    """Post what is owed until nothing waits; each attempt is a line in the ledger."""
    clock, file = SystemClock(), os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    while storage.deliveries.waiting():
        claimed = storage.deliveries.claim({"apns": random.randint(1, 8)}, 10_000)
        time.sleep(random.uniform(0, 0.01))  # the other side takes its time
        for delivery in claimed:
            state = attempt(storage, delivery, clock)
            os.write(file, f"{delivery.toast_id} {state}\n".encode())
        storage.inbox.facts("what is owed is written by then")
    os.close(file)


def ack(storage, *toasts):
    """Ack toasts, a few at a time."""
    rest = [StateChange(id, user_id, "acked", 1, transport="websocket") for id, user_id in toasts]
    while rest:
        many = random.randint(1, 4)
        storage.inbox.mark(rest[:many])
        storage.inbox.facts("what is owed is written by then")
        rest = rest[many:]


def register(storage, user_id, times):
    """Register devices whose push tokens others register, too."""
    for number in range(times):
        phone = number % 7
        names = {"device_id": f"{user_id}'s {phone}", "push_token": f"token {phone}"}
        given = {"bundle_id": "app", "registered_at": number}
        storage.devices.register(Device(user_id=user_id, **names, **given), 20)


def day(storage, *toasts):
    """Owe what is not owed, carry what is due, as often as it takes."""
    clock = SystemClock()
    storage.deliveries.owe([push(*toast, clock.now()) for toast in toasts])
    while storage.deliveries.waiting():
        for delivery in storage.deliveries.claim({"apns": 8}, LEASE_MS):
            attempt(storage, delivery, clock)
        storage.inbox.facts("what is owed is written by then")
        time.sleep(0.01)


def in_a_child(url, point, *toasts):
    """Live through a day, or until the point; return how it ended."""
    child = os.fork()
    if child == 0:
        ended = 1
        try:
            arm(point)
            storage = Storage(url, runtime_for("auto"), SystemClock())
            day(storage, *toasts)
            storage.close()
            ended = 0
        finally:
            os._exit(ended)
    return os.waitpid(child, 0)[1]


def arm(point):
    """Have this process end at a point."""
    for work, (module, steps) in DAY.items():
        for step in steps:
            setattr(module, step, watched(getattr(module, step), f"{step} of {work}", point))
    commit = Committer.commit

    @functools.wraps(commit)
    def committing(committer, group):
        works = {member.work.__module__.rpartition(".")[2] for member in group}
        names = [
            work for work, (module, _) in DAY.items() if module.__name__.endswith(tuple(works))
        ]
        pass_by([f"before commit of {name}" for name in names], point)
        result = commit(committer, group)
        pass_by([f"after commit of {name}" for name in names], point)
        return result

    Committer.commit = committing


def watched(step, name, point):
    @functools.wraps(step)
    def passing(*given):
        pass_by([f"before {name}"], point)
        result = step(*given)
        pass_by([f"after {name}"], point)
        return result

    return passing


def pass_by(points, armed):
    if armed in points:
        os.kill(os.getpid(), signal.SIGKILL)


def main(url):
    """Do what each JSON line says, ``[function, arguments…]``, and answer when it is done."""
    storage = Storage(url, runtime_for("auto"), SystemClock())
    doing = {"carry": carry, "ack": ack, "register": register}
    print("ready", flush=True)
    for line in sys.stdin:
        name, *given = json.loads(line)
        if name == "day":
            answer = in_a_child(url, *given)
        else:
            doing[name](storage, *given)
            answer = "done"
        print(json.dumps(answer), flush=True)
    storage.close()


if __name__ == "__main__":
    main(sys.argv[1])
