"""Is what we promise really looked at? Plant ten bugs, one after the other: each must be caught.

    python -m tests.chaos.mutants [NAME …]

Each is planted in a copy of the project, where its tests must pass before and fail after.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIED = ("toastkit", "toastkit_flask", "example_app", "tests", "docs", "pyproject.toml")
PYTEST = ("-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", "-m", "")
FAILED = 1

REDIS = "tests/backplane/redis"
A_BREAK = "test_a_subscriber_that_redis_cuts_comes_back_and_doubts_everything"


@dataclass(frozen=True)
class Mutant:
    """A bug: in ``file`` the text ``old``, which is there once, becomes ``new``."""

    name: str
    file: str
    old: str
    new: str
    caught_by: tuple[str, ...]


MUTANTS = (
    Mutant(
        "answered before the commit",
        "toastkit/storage/group.py",
        "                results = _carry_out(connection, group)\n",
        "                results = _carry_out(connection, group)\n"
        "                for member, result in zip(group, results, strict=True):\n"
        "                    member.answer(result)\n",
        ("tests/storage/test_group.py",),
    ),
    Mutant(
        "dedupe keys that one process remembers",
        "toastkit/storage/accepting.py",
        "        given = run(connection, CLAIM, (as_json(claims), now, now))\n",
        "        held = self.__dict__.setdefault('held', set())\n"
        "        run(connection, CLAIM, (as_json(claims), now, 1 << 60))\n"
        "        given = [claim[:3] for claim in claims if claim[:2] not in held]\n"
        "        held.update(claim[:2] for claim in claims)\n",
        ("tests/races/test_dedupe.py",),
    ),
    Mutant(
        "no look at the origin",
        "toastkit_flask/origins.py",
        "    if origin is None or _is_own(origin) or origin.lower() in _allowed(config):\n",
        "    if origin is None or _is_own(origin) or origin:\n",
        ("tests/flask/views/test_realtime.py::test_a_page_of_another_origin_is_403",),
    ),
    Mutant(
        "secrets compared as texts are",
        "toastkit/ids.py",
        "hmac.compare_digest(given, secret) for secret in secrets",
        "given == secret for secret in secrets",
        ("tests/identity/test_authenticator.py",),
    ),
    Mutant(
        "time to live not looked at in the buffer",
        "toastkit/live/sendbuffer.py",
        "if not self._sent and expires_at is not None and now >= expires_at:",
        "if not self._sent and expires_at is not None and not now:",
        ("tests/live/test_sendbuffer.py",),
    ),
    Mutant(
        "deliveries taken without a lease",
        "toastkit/storage/claiming.py",
        'lease = {"next_attempt_at": claim.until, "lease_until": claim.until}',
        'lease = {"next_attempt_at": claim.now, "lease_until": claim.now}',
        ("tests/contracts/test_deliveries.py",),
    ),
    Mutant(
        "a namespace that is a prefix without its colon",
        "toastkit/topics.py",
        'mine[-2:] == ":*" and topic.startswith(mine[:-1])',
        'mine[-2:] == ":*" and topic.startswith(mine[:-2])',
        ("tests/test_topics.py",),
    ),
    Mutant(
        "tickets in the access log",
        "toastkit_flask/logs.py",
        "    if not isinstance(value, str) or not _is_gateway(value):\n",
        "    if not isinstance(value, str) or value:\n",
        ("tests/flask/test_logs.py",),
    ),
    Mutant(
        "after a break nobody looks for what was not heard",
        "toastkit/backplane/redis/broker.py",
        "            self._beat(hello=True)\n            self._doubt(None)\n",
        "            self._beat(hello=True)\n",
        (f"{REDIS}/test_faults.py::{A_BREAK}",),
    ),
    Mutant(
        "who listens counted as who was told",
        "toastkit/backplane/redis/asking.py",
        "        self._missing += receivers\n",
        "        self._missing += receivers\n        self._written += receivers\n",
        (f"{REDIS}/test_broker.py",),
    ),
)


def main(names):
    """Plant those with these names, or all; exit 1 when one was not caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.mutants", description=__doc__)
    known = [mutant.name for mutant in MUTANTS]
    parser.add_argument("name", nargs="*", help=f"of {'; '.join(known)}; default all")
    names = parser.parse_args(names).name
    if unknown := set(names) - set(known):
        parser.error(f"there is no mutant of these names: {', '.join(unknown)}")
    wanted = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    with tempfile.TemporaryDirectory(prefix="toastkit-mutants-") as place:
        folder = copy(Path(place))
        sound(folder, wanted)
        survivors = [mutant.name for mutant in wanted if not caught(folder, mutant)]
    print(f"{len(wanted) - len(survivors)} of {len(wanted)} planted bugs were caught")
    sys.exit(bool(survivors))


def copy(folder):
    """Copy the project, and make sure that the copy is what is imported there."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, folder / name)
    where = "import toastkit; print(toastkit.__file__)"
    found = run(folder, "-c", where).stdout.strip()
    assert Path(found).is_relative_to(folder), f"{found} would be tested instead of the copy"
    return folder


def sound(folder, wanted):
    """Make sure that every test passes where nothing is planted."""
    tests = dict.fromkeys(test for mutant in wanted for test in mutant.caught_by)
    done = run(folder, *PYTEST, *tests)
    assert done.returncode == 0, f"there are failures without any bug:\n{done.stdout}"


def caught(folder, mutant):
    """Plant a bug, and tell whether its tests fail; take it out again."""
    file, began = folder / mutant.file, time.monotonic()
    sound_text = file.read_text()
    assert sound_text.count(mutant.old) == 1, f"{mutant.name}: {mutant.file} has changed"
    file.write_text(sound_text.replace(mutant.old, mutant.new))
    done = run(folder, *PYTEST, *mutant.caught_by)
    file.write_text(sound_text)
    took = time.monotonic() - began
    if done.returncode == FAILED:
        failures = [line for line in done.stdout.splitlines() if line.startswith("FAILED ")]
        print(f"caught in {took:.0f} s: {mutant.name}: {failures[0][:120]}", flush=True)
        return True
    print(f"NOT CAUGHT: {mutant.name}\n{done.stdout}{done.stderr}", flush=True)
    return False


def run(folder, *arguments):
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    main(sys.argv[1:])
