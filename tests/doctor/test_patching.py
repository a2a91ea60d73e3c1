"""What gevent has replaced is looked at in the process, against what the settings say."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from toastkit.doctor import probe
from toastkit.doctor.patching import check
from toastkit.doctor.patient import GeventFacts, GunicornFacts
from toastkit.doctor.probe import MODULES

pytestmark = pytest.mark.plain

ALL = tuple(MODULES)
GREEN, THREADS = GunicornFacts(worker_class="gevent"), GunicornFacts(worker_class="gthread")
HERE, PATCHED = GeventFacts("26.9"), GeventFacts("26.9", ALL)

LOOK = f"""
import json, runpy
probe = runpy.run_path({probe.__file__!r})
print(json.dumps([probe["patched"](), probe["early"](probe["QUIET"])]))
"""
PATCH = "from gevent import monkey; monkey.patch_all({})\n"


@pytest.fixture
def look(tmp_path):
    """Run a program that ends by looking at itself; ``early`` keeps what gevent replaces."""
    (tmp_path / "early.py").write_text("from threading import Lock\nfrom socket import socket\n")

    def look(program):
        command = [sys.executable, "-c", program + LOOK]
        path = [str(tmp_path), *filter(None, sys.path)]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={"PYTHONPATH": ":".join(path)},
            stdout=subprocess.PIPE,
            check=True,
        )
        patched, early = json.loads(done.stdout.splitlines()[-1])
        return tuple(patched), tuple(early)

    return look


def test_what_was_imported_before_the_patch_is_named(look):
    assert look("import early\n" + PATCH.format("")) == (ALL, ("early",))


def test_what_was_imported_after_it_is_not(look):
    assert look(PATCH.format("") + "import early\n") == (ALL, ())


def test_what_it_left_out_is_known(look):
    patched, _ = look(PATCH.format("ssl=False, thread=False"))
    assert set(ALL) - set(patched) == {"ssl", "threading"}


@pytest.mark.parametrize(
    ("here", "runtime", "server", "wrong"),
    [
        (GeventFacts(), "auto", None, []),
        (GeventFacts(), "auto", GREEN, ["fail"]),
        (GeventFacts(), "gevent", None, ["fail"]),
        (HERE, "auto", None, []),
        (HERE, "auto", GREEN, []),
        (HERE, "gevent", GREEN, []),
        (HERE, "gevent", THREADS, ["fail"]),
        (HERE, "gevent", None, ["warn"]),
        (HERE, "threads", THREADS, []),
        (HERE, "threads", GREEN, ["fail"]),
        (PATCHED, "auto", None, ["info"]),
        (PATCHED, "auto", GREEN, ["info"]),
        (PATCHED, "auto", THREADS, ["fail"]),
        (PATCHED, "threads", None, ["info", "fail"]),
        (GeventFacts("26.9", ALL, ("early",)), "auto", None, ["warn"]),
        (GeventFacts("26.9", ("socket", "time")), "auto", None, ["fail"]),
    ],
)
def test_what_fits_together(here, runtime, server, wrong, facts, levels):
    given = facts(runtime=runtime, gevent=here, gunicorn=server)
    found = [(each.level, each.name) for each in check(given) if each.level != "ok"]
    assert found == [(level, "gevent") for level in wrong]
