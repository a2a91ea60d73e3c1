"""Do what each line of stdin says, in a process of its own: ``python -m`` URL.

A step that is armed ends this process as the kernel would, when it comes to it.
"""

import functools
import json
import os
import signal
import sys

from msgspec.structs import asdict
from sqlalchemy import Column, Integer, MetaData, Table, Text, UniqueConstraint

from toastkit import Config, Kit, Owned
from toastkit.errors import ToastKitError
from toastkit.senders import RecordingSender
from toastkit.storage import rebinding
from toastkit.storage.group import Committer

HOSTS = MetaData()
NOTES = Table(
    "notes",
    HOSTS,
    Column("id", Integer, primary_key=True),
    Column("owner", Text),
    Column("name", Text),
    UniqueConstraint("owner", "name"),
)
OWNED = [Owned.of(NOTES, "owner", on_clash="keep")]

STEPS = [*rebinding.STEPS]
PARTS = ["end_sessions", "move_hosts", "note"]
POINTS = [
    "before commit",
    *(f"{when} {name}" for name in ["end_sessions", *STEPS, "move_hosts", "note"]
      for when in ("before", "after")),
    "after commit",
]  # fmt: skip
"""Every place where a rebind may be ended, in the order they are passed."""


class Failpoints:
    """End this process at the armed point."""

    def __init__(self):
        self.armed = None
        for name in PARTS:
            setattr(rebinding, name, self._watched(getattr(rebinding, name), name))
        for name, step in rebinding.STEPS.items():
            rebinding.STEPS[name] = self._watched(step, name)
        commit = Committer.commit

        @functools.wraps(commit)
        def committing(committer, group):
            mine = any(member.work is rebinding.rebind for member in group)
            if mine:
                self._pass("before commit")
            result = commit(committer, group)
            if mine:
                self._pass("after commit")
            return result

        Committer.commit = committing

    def _watched(self, step, name):
        @functools.wraps(step)
        def watched(*given):
            self._pass(f"before {name}")
            result = step(*given)
            self._pass(f"after {name}")
            return result

        return watched

    def _pass(self, point):
        if point == self.armed:
            os.kill(os.getpid(), signal.SIGKILL)


def visit(kit, device):
    """Open a visitor's session; return its principal."""
    return kit.identity.anonymous.begin(device)[1].user_id


def publish(kit, user, title):
    """Publish a toast with a key of its own; return its id."""
    return kit.publish_toast(user, title, dedupe_key=title, topic=f"user:{user}:x").id


def rebind(kit, user, device):
    """Rebind a device; return the answer."""
    return asdict(kit.identity.anonymous.rebind(user, device))


def main(url):
    """Answer each JSON line, ``[function, arguments…]``, with what it returns or raises."""
    points = Failpoints()
    doing = {"visit": visit, "publish": publish, "rebind": rebind}
    senders = [RecordingSender("identity.rebound")]
    # Eight at once on a busy machine: who waits for the others is not turned away.
    config = Config(database_url=url, storage_wait_ms=20_000)
    with Kit(config, owned=OWNED, senders=senders) as kit:
        print("ready", flush=True)
        for line in sys.stdin:
            name, *given = json.loads(line)
            if name == "arm":
                [points.armed] = given
                continue
            try:
                answer = doing[name](kit, *given)
            except ToastKitError as error:
                answer = {"error": error.code}
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
