"""As many files and as much memory as the clients need."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from toastkit.doctor.machine import SPARE_FILES, check, gather
from toastkit.doctor.patient import GunicornFacts, MachineFacts

pytestmark = pytest.mark.plain

LOW = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (300, 400))
resource.setrlimit(resource.RLIMIT_AS, (1 << 32, 1 << 32))
from toastkit.doctor.machine import gather
found = gather(None)
assert (found.files, found.most_files) == (300, 400), found
assert found.memory <= 1 << 32, found
"""


def test_the_limits_are_those_of_the_process():
    subprocess.run([sys.executable, "-c", LOW], check=True)
    assert gather(None).files == resource.getrlimit(resource.RLIMIT_NOFILE)[0]


@pytest.mark.parametrize(
    ("files", "raised", "wrong"),
    [
        (1024, 0, [("warn", "files")]),
        (1024, 100 + SPARE_FILES, [("warn", "files")]),
        (1024, 1000 + SPARE_FILES, []),
        (1000 + SPARE_FILES, 0, []),
        (999 + SPARE_FILES, 0, [("warn", "files")]),
    ],
)
def test_every_connection_is_a_file(files, raised, wrong, facts, levels):
    given = facts(
        connections=1000,
        machine=MachineFacts(files, 4096, None),
        gunicorn=GunicornFacts(files=raised),
    )
    assert levels(check, given) == wrong


@pytest.mark.parametrize(("memory", "wrong"), [(1 << 40, []), (64 << 20, [("warn", "memory")])])
def test_an_idle_connection_takes_memory(memory, wrong, facts, levels):
    given = facts(connections=1000, machine=MachineFacts(1 << 20, 1 << 20, memory))
    assert levels(check, given) == wrong
