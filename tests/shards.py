"""Run pytest in several processes at once, each with its share of the tests.

    python -m tests.shards 2 python -m gevent.monkey --module pytest -m "not long"

pytest-xdist does that for an ordinary interpreter, but its workers are not patched by gevent. The
first shard is seen as it runs; what the others said follows.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import ExitStack

NOTHING = 5


def main(count: int, command: list[str]) -> int:
    """Run all shards; return the first bad exit code, ``NOTHING`` if none had a test to run."""
    with ExitStack() as stack:
        logs = [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(count - 1)]
        shards = [
            stack.enter_context(
                subprocess.Popen([*command, f"--shard={index}/{count}"], stdout=log, stderr=log)
            )
            for index, log in enumerate([None, *logs])
        ]
        codes = [shard.wait() for shard in shards]
        for log in logs:
            log.seek(0)
            sys.stdout.write(log.read())
    bad = [code for code in codes if code not in (0, NOTHING)]
    return bad[0] if bad else min(codes)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
